package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.ByteString;

/** Quantised weights become float weights, and compute what ONNX Runtime computes from the quantised ones. */
class QuantisedModelTest {
    @TempDir
    Path folder;

    private static TensorProto bytes(String name, TensorProto.DataType type, long... shape) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type.getNumber());
        byte[] values = new byte[(int) HostTensor.length(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (i * 37 + 11);
        }
        for (long size : shape) {
            tensor.addDims(size);
        }
        return tensor.setRawData(ByteString.copyFrom(values)).build();
    }

    private static HostTensor scales(long... shape) {
        return HostTensor.of(
                DataType.FLOAT,
                shape,
                IntStream.range(0, (int) HostTensor.length(shape))
                        .mapToDouble(i -> 0.01 + 0.003 * i)
                        .toArray());
    }

    private static void assertRuns(Path file) {
        Verification verification = OnnxVerifier.verify(file, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    private static TinyModel linear() {
        return new TinyModel(13)
                .input("x", DataType.FLOAT, -1, 6)
                .named("/fc/MatMul", "MatMul", "x w", "y")
                .output("y", DataType.FLOAT, -1, 4);
    }

    private Path perTensor() {
        return linear().initializer(bytes("q", TensorProto.DataType.UINT8, 6, 4))
                .initializer("scale", scales())
                .initializer(bytes("zero", TensorProto.DataType.UINT8))
                .node("DequantizeLinear", "q scale zero", "w")
                .write(folder);
    }

    @Test
    void weights_with_one_scale() {
        Path file = perTensor();
        assertRuns(file);
        ImportedModel model = OnnxImporter.load(file);
        assertThat(model.linearLayers()).extracting(LinearLayer::module).containsExactly("fc");
        assertThat(model.report().notes()).anyMatch(note -> note.contains("1 quantised weights are dequantised"));
    }

    @Test
    void weights_with_a_scale_per_column_and_per_row() {
        assertRuns(linear().initializer(bytes("q", TensorProto.DataType.INT8, 6, 4))
                .initializer("scale", scales(4))
                .initializer(bytes("zero", TensorProto.DataType.INT8, 4))
                .node("DequantizeLinear", "q scale zero", "w", "axis", 1)
                .write(folder));
        assertRuns(linear().initializer(bytes("q", TensorProto.DataType.INT8, 6, 4))
                .initializer("scale", scales(6))
                .node("DequantizeLinear", "q scale", "w", "axis", 0)
                .write(folder));
    }

    @Test
    void other_numbers_for_a_quantised_weight_are_written_as_real_ones() {
        ImportedModel model = OnnxImporter.load(perTensor());
        String weight = model.linearLayers().get(0).weight();
        INDArray values = model.graph().getVariable(weight).getArr();
        values.addi(0.25);
        Path merged = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, Map.of(weight, values), merged);
        Verification verification = OnnxVerifier.verify(merged, model, InputSizes.SAMPLES, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(OnnxImporter.load(merged).report().notes()).noneMatch(note -> note.contains("quantised"));
    }

    private TinyModel blocks(int bits, boolean zeros, int columns) {
        int block = 16;
        int count = (columns + block - 1) / block;
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 3, columns)
                .initializer(bytes("q", TensorProto.DataType.UINT8, 5, count, block * bits / 8))
                .initializer("scale", scales(5L * count));
        if (zeros) {
            model.initializer(bytes("zero", TensorProto.DataType.UINT8, 5L * ((count * bits + 7) / 8)));
        }
        return model.named(
                        "/q_proj/MatMul",
                        "com.microsoft:MatMulNBits",
                        zeros ? "x q scale zero" : "x q scale",
                        "y",
                        "bits",
                        bits,
                        "block_size",
                        block,
                        "N",
                        5,
                        "K",
                        columns)
                .output("y", DataType.FLOAT, -1, 3, 5);
    }

    @Test
    void weights_in_blocks_of_four_bits() {
        assertRuns(blocks(4, false, 32).write(folder));
        assertRuns(blocks(4, true, 48).write(folder));
        assertThat(OnnxImporter.load(blocks(4, true, 48).write(folder)).linearLayers())
                .extracting(LinearLayer::module, LinearLayer::in, LinearLayer::out)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("q_proj", 48, 5));
    }

    @Test
    void weights_with_a_scale_for_each_block_of_an_axis() {
        Path blocks = new TinyModel(21)
                .input("x", DataType.FLOAT, -1, 6)
                .initializer(bytes("q", TensorProto.DataType.INT8, 6, 4))
                .initializer("scale", scales(2, 4))
                .node("DequantizeLinear", "q scale", "w", "axis", 0, "block_size", 3)
                .node("MatMul", "x w", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .write(folder);
        assertRuns(blocks);
    }

    @Test
    void weights_of_four_bits() {
        for (int type : new int[] {21, 22}) { // UINT4, INT4
            assertRuns(new TinyModel(21)
                    .input("x", DataType.FLOAT, -1, 5)
                    .initializer(bytes("q", TensorProto.DataType.UINT8, 8).toBuilder()
                            .setDataType(type)
                            .clearDims()
                            .addDims(5)
                            .addDims(3)
                            .build())
                    .initializer("scale", scales(3))
                    .node("DequantizeLinear", "q scale", "w", "axis", 1)
                    .node("MatMul", "x w", "y")
                    .output("y", DataType.FLOAT, -1, 3)
                    .write(folder));
        }
    }

    @Test
    void scales_that_do_not_fit_are_refused() {
        Path file = linear().initializer(bytes("q", TensorProto.DataType.INT8, 6, 4))
                .initializer("scale", scales(5))
                .node("DequantizeLinear", "q scale", "w", "axis", 0)
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("5 scales");
    }
}
