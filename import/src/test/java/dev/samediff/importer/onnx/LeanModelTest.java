package dev.samediff.importer.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.TinyModel;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.protobuf.ByteString;

/** Large tensors stay in the file, wherever in the message they stand, and have the same numbers. */
class LeanModelTest {
    private static final int COUNT = 70_001;

    @TempDir
    Path folder;

    private static float number(int index) {
        return (float) Math.sin(index) * 3;
    }

    private static TensorProto.Builder large(TensorProto.DataType type) {
        return TensorProto.newBuilder()
                .setName("w")
                .setDataType(type.getNumber())
                .addDims(COUNT);
    }

    private static TensorProto raw() {
        ByteBuffer bytes = ByteBuffer.allocate(4 * COUNT).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < COUNT; i++) {
            bytes.putFloat(number(i));
        }
        return large(TensorProto.DataType.FLOAT)
                .setRawData(ByteString.copyFrom(bytes.flip()))
                .build();
    }

    private static TensorProto typed(TensorProto.DataType type) {
        TensorProto.Builder tensor = large(type);
        for (int i = 0; i < COUNT; i++) {
            switch (type) {
                case FLOAT -> tensor.addFloatData(number(i));
                case DOUBLE -> tensor.addDoubleData(number(i));
                case BFLOAT16 -> tensor.addInt32Data(Float.floatToIntBits(number(i)) >>> 16);
                default -> tensor.addInt64Data(i);
            }
        }
        return tensor.build();
    }

    private Path write(ModelProto model) throws IOException {
        return Files.write(Files.createTempFile(folder, "model", ".onnx"), model.toByteArray());
    }

    private Path adding(TensorProto tensor) {
        return new TinyModel(14)
                .input("x", DataType.FLOAT, COUNT)
                .initializer(tensor)
                .node("Add", "x w", "y")
                .output("y")
                .write(folder);
    }

    private static void assertSame(Path file, double relative) throws IOException {
        assertThat(LeanModel.read(file).getSerializedSize()).isLessThan(1000);
        OnnxTensor tensor = OnnxFile.read(file).graph().tensor("w");
        double[] folded = tensor.toHost().orElseThrow().asDoubles();
        double[] copied = tensor.toArray().toDoubleVector();
        for (int i = 0; i < COUNT; i++) {
            double tolerance = relative * Math.abs(number(i));
            assertThat(Math.abs(folded[i] - number(i))).isLessThanOrEqualTo(tolerance);
            assertThat(Math.abs(copied[i] - number(i))).isLessThanOrEqualTo(tolerance);
        }
    }

    @Test
    void what_stands_in_place_of_a_model_is_named() throws IOException {
        Map<String, String> texts = Map.of(
                "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n", "git lfs pull",
                "../../blobs/0a1b2c", "the text of a link, '../../blobs/0a1b2c'");
        for (Map.Entry<String, String> text : texts.entrySet()) {
            Path file = Files.writeString(folder.resolve("model.onnx"), text.getKey());
            assertThatThrownBy(() -> LeanModel.read(file))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("model.onnx is no model but")
                    .hasMessageContaining(text.getValue());
        }
    }

    @Test
    void raw_data_stay_in_the_file() throws IOException {
        assertSame(adding(raw()), 0);
    }

    @Test
    void packed_floats_and_doubles_stay_in_the_file() throws IOException {
        assertSame(adding(typed(TensorProto.DataType.FLOAT)), 0);
        assertSame(adding(typed(TensorProto.DataType.DOUBLE)), 0);
    }

    @Test
    void half_precision_in_typed_fields_is_read() {
        Path file = adding(typed(TensorProto.DataType.BFLOAT16));
        double[] read = OnnxFile.read(file).graph().tensor("w").toArray().toDoubleVector();
        assertThat(read[5]).isCloseTo(number(5), within(0.02));
        assertThat(read).hasSize(COUNT);
    }

    @Test
    void large_constants_of_nodes_stay_in_the_file() throws IOException {
        TinyModel model = new TinyModel(14)
                .input("x", DataType.FLOAT, COUNT)
                .node("Constant", "", "w", "value", HostTensor.filled(DataType.FLOAT, new long[] {1}, 0))
                .node("Add", "x w", "y")
                .output("y");
        ModelProto.Builder proto = model.proto().toBuilder();
        proto.getGraphBuilder().getNodeBuilder(0).getAttributeBuilder(0).setT(raw());
        assertSame(write(proto.build()), 0);
    }

    @Test
    void everything_else_is_unchanged() throws IOException {
        ModelProto model = ModelProto.parseFrom(Files.readAllBytes(adding(raw())));
        ModelProto lean = LeanModel.read(write(model));
        GraphProto.Builder restored = lean.getGraph().toBuilder();
        restored.setInitializer(0, raw());
        assertThat(lean.toBuilder().setGraph(restored).build()).isEqualTo(model);
    }

    @Test
    void numbers_in_several_parts_are_refused() throws IOException {
        byte[] first = raw().toByteArray();
        byte[] both = Arrays.copyOf(first, first.length * 2);
        System.arraycopy(first, 0, both, first.length, first.length);
        TinyModel model = new TinyModel(14)
                .input("x", DataType.FLOAT, COUNT)
                .node("Neg", "x", "y")
                .output("y");
        byte[] before = model.proto().toByteArray();
        Path file = Files.createTempFile(folder, "model", ".onnx");
        try (var out = Files.newOutputStream(file)) {
            out.write(before);
            int initializer = 1 + varintSize(both.length) + both.length;
            out.write(7 << 3 | 2);
            WireReader.writeVarint(initializer, out);
            out.write(5 << 3 | 2);
            WireReader.writeVarint(both.length, out);
            out.write(both);
        }
        assertThatThrownBy(() -> LeanModel.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("in several parts");
    }

    private static int varintSize(long value) {
        return (63 - Long.numberOfLeadingZeros(value)) / 7 + 1;
    }

    @Test
    void every_truncation_is_refused() throws IOException {
        byte[] whole = Files.readAllBytes(adding(raw()));
        for (int length : new int[] {1, 10, 50, whole.length / 2, whole.length - 100, whole.length - 1}) {
            Path file = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> OnnxFile.read(file))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("cut.onnx");
        }
    }
}
