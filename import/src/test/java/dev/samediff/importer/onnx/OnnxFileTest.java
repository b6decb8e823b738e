package dev.samediff.importer.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.TinyModel;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.protobuf.ByteString;

class OnnxFileTest {
    @TempDir
    Path folder;

    private static TinyModel adder() {
        return new TinyModel(14)
                .input("x", DataType.FLOAT, -1, 2)
                .initializer("b", HostTensor.of(DataType.FLOAT, new long[] {2}, new double[] {1, 2}))
                .node("Add", "x b", "y")
                .node("Neg", "y", "z")
                .output("z");
    }

    private static void assertRefused(ThrowingCallable call, String... words) {
        assertThatThrownBy(call)
                .isInstanceOf(InvalidInputException.class)
                .message()
                .contains(words)
                .doesNotContain("\n");
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "file", ".onnx"), bytes);
    }

    @Test
    void nodes_in_any_order_are_sorted() {
        OnnxGraph graph = OnnxFile.read(adder().reversed().write(folder)).graph();
        assertThat(graph.nodes()).extracting(OnnxNode::operator).containsExactly("Add", "Neg");
    }

    @Test
    void nodes_that_no_output_needs_are_dropped() {
        Path file = adder().node("Exp", "x", "unused").write(folder);
        OnnxFile read = OnnxFile.read(file);
        assertThat(read.graph().nodes()).extracting(OnnxNode::operator).doesNotContain("Exp");
        assertThat(read.operators()).containsEntry("Exp", 1);
    }

    @Test
    void very_deep_graphs_are_sorted() {
        TinyModel model = new TinyModel(14).input("v0", DataType.FLOAT, 2);
        for (int i = 0; i < 20_000; i++) {
            model.node("Neg", "v" + i, "v" + (i + 1));
        }
        OnnxGraph graph = OnnxFile.read(model.output("v20000").write(folder)).graph();
        assertThat(graph.nodes()).hasSize(20_000);
    }

    @Test
    void a_circle_is_refused() {
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, 2)
                .node("Add", "x b", "a")
                .node("Neg", "a", "b")
                .output("b")
                .write(folder);
        assertRefused(() -> OnnxFile.read(file), file.toString(), "depends on its own output");
    }

    @Test
    void a_value_nobody_writes_is_refused() {
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, 2)
                .node("Add", "x missing", "y")
                .output("y")
                .write(folder);
        assertRefused(() -> OnnxFile.read(file), "'missing'", "read by Add 'y'");
    }

    @Test
    void a_file_that_does_not_exist_is_refused() {
        assertRefused(() -> OnnxFile.read(folder.resolve("none.onnx")), "none.onnx", "does not exist");
        assertRefused(() -> OnnxFile.read(folder), "is not a file");
    }

    @Test
    void an_empty_file_is_refused() throws IOException {
        Path file = write(new byte[0]);
        assertRefused(() -> OnnxFile.read(file), "is not an ONNX model");
    }

    @Test
    void a_text_file_is_refused() throws IOException {
        Path file = write("this is no model, it is a text".getBytes(StandardCharsets.UTF_8));
        assertRefused(() -> OnnxFile.read(file), file.toString());
    }

    /** The last bytes are the second operator set, without which the file is still complete. */
    @Test
    void a_file_cut_anywhere_is_refused() throws IOException {
        byte[] bytes = adder().proto().toByteArray();
        int second = adder().proto().getOpsetImport(1).getSerializedSize() + 2;
        for (int length = 0; length < bytes.length - second; length++) {
            Path file = write(Arrays.copyOf(bytes, length));
            assertRefused(() -> OnnxFile.read(file), file.toString());
        }
    }

    @Test
    void a_damaged_file_is_refused_or_read_but_nothing_else() throws IOException {
        byte[] bytes = adder().proto().toByteArray();
        Random random = new Random(7);
        for (int trial = 0; trial < 2000; trial++) {
            byte[] damaged = bytes.clone();
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            Path file = write(damaged);
            try {
                assertThat(OnnxFile.read(file).graph()).isNotNull();
            } catch (InvalidInputException expected) {
                assertThat(expected).hasMessageContaining(file.toString());
            }
            Files.delete(file);
        }
    }

    @Test
    void a_tensor_larger_than_its_data_is_refused_before_anything_is_allocated() {
        TensorProto huge = TensorProto.newBuilder()
                .setName("w")
                .setDataType(TensorProto.DataType.FLOAT.getNumber())
                .addDims(1L << 40)
                .addDims(1L << 40)
                .setRawData(ByteString.copyFrom(new byte[16]))
                .build();
        assertRefused(() -> OnnxFile.read(with(huge)), "'w'", "1099511627776");
        TensorProto tooLong = huge.toBuilder().clearDims().addDims(5).build();
        assertRefused(() -> OnnxFile.read(with(tooLong)), "'w'", "5 elements", "data for 4");
        TensorProto negative = huge.toBuilder().clearDims().addDims(-4).build();
        assertRefused(() -> OnnxFile.read(with(negative)), "'w'", "-4");
    }

    private Path with(TensorProto tensor) {
        return new TinyModel(14)
                .input("x", DataType.FLOAT, 2)
                .initializer(tensor)
                .node("Add", "x w", "y")
                .output("y")
                .write(folder);
    }

    @Test
    void half_precision_is_widened() {
        TensorProto half = TensorProto.newBuilder()
                .setName("w")
                .setDataType(TensorProto.DataType.FLOAT16.getNumber())
                .addDims(5)
                .setRawData(ByteString.copyFrom(
                        new byte[] {0, 0x3c, 0, (byte) 0xc0, (byte) 0xff, 0x7b, 1, 0, 0, (byte) 0xfc}))
                .build();
        HostTensor values = OnnxTensor.inline("w", half);
        assertThat(values.asDoubles()).containsExactly(1, -2, 65504, 0x1p-24, Double.NEGATIVE_INFINITY);
        TensorProto brain = half.toBuilder()
                .setDataType(TensorProto.DataType.BFLOAT16.getNumber())
                .clearDims()
                .addDims(1)
                .setRawData(ByteString.copyFrom(new byte[] {(byte) 0xc0, 0x3f}))
                .build();
        assertThat(OnnxTensor.inline("w", brain).asDouble(0)).isEqualTo(1.5);
    }

    private static TensorProto external(String location, String length) {
        return TensorProto.newBuilder()
                .setName("w")
                .setDataType(TensorProto.DataType.FLOAT.getNumber())
                .addDims(2)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", location))
                .addExternalData(entry("offset", "4"))
                .addExternalData(entry("length", length))
                .build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    @Test
    void data_beside_the_model_is_read() throws IOException {
        Files.write(folder.resolve("data.bin"), new byte[] {9, 9, 9, 9, 0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40});
        OnnxTensor tensor =
                OnnxFile.read(with(external("data.bin", "8"))).graph().tensor("w");
        assertThat(tensor).isNotNull();
        assertThat(tensor.toHost().orElseThrow().asDoubles()).containsExactly(1, 2);
        assertRefused(() -> OnnxFile.read(with(external("data.bin", "80"))), "needs bytes 4 to 84", "has 12");
    }

    @Test
    void data_outside_of_the_models_folder_is_not_read() {
        assertRefused(() -> OnnxFile.read(with(external("../secret.bin", "8"))), "own folder");
        assertRefused(() -> OnnxFile.read(with(external("/etc/passwd", "8"))), "own folder");
        assertRefused(() -> OnnxFile.read(with(external("absent.bin", "8"))), "does not exist");
    }

    @Test
    void an_operator_set_that_is_too_new_is_refused_with_what_to_do() {
        Path file = new TinyModel(99)
                .input("x", DataType.FLOAT, 2)
                .node("Neg", "x", "y")
                .output("y")
                .write(folder);
        assertRefused(() -> OnnxFile.read(file), "operator set 99", "opset_version=17");
    }
}
