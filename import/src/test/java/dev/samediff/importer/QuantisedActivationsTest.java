package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.ByteString;

/**
 * Activations that the file quantises are computed with unrounded: results differ from ONNX Runtime's on the file by no more
 * than half a step per rounded number, multiplied by what it is multiplied with.
 */
class QuantisedActivationsTest {
    private static final int IN = 6;
    private static final int OUT = 4;

    @TempDir
    Path folder;

    private static INDArray reals(long... shape) {
        int length = (int) HostTensor.length(shape);
        double[] values = IntStream.range(0, length)
                .mapToDouble(i -> 1.5 * Math.sin(i * 1.7 + 0.3))
                .toArray();
        return Nd4j.createFromArray(values).castTo(DataType.FLOAT).reshape(shape);
    }

    private static byte[] bytes(int count) {
        byte[] values = new byte[count];
        for (int i = 0; i < count; i++) {
            values[i] = (byte) (i * 37 + 11);
        }
        return values;
    }

    private static TensorProto tensor(String name, TensorProto.DataType type, byte[] values, long... shape) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type.getNumber());
        for (long size : shape) {
            tensor.addDims(size);
        }
        return tensor.setRawData(ByteString.copyFrom(values)).build();
    }

    private static TensorProto weight(long... shape) {
        return tensor("w_quantized", TensorProto.DataType.INT8, bytes((int) HostTensor.length(shape)), shape);
    }

    private static TensorProto zero(String name, TensorProto.DataType type, int value) {
        return tensor(name, type, new byte[] {(byte) value});
    }

    private static HostTensor scale(double value) {
        return HostTensor.of(DataType.FLOAT, new long[0], new double[] {value});
    }

    /** Model with input x [rows, IN] and output y. */
    private static TinyModel model() {
        return new TinyModel(13).input("x", DataType.FLOAT, -1, IN).output("y", DataType.FLOAT, -1, OUT);
    }

    /** The import's y, ONNX Runtime's y, and how the import differs from the model without quantised numbers. */
    private void assertWithin(double bound, Path file, INDArray x) {
        ImportedModel model = OnnxImporter.load(file);
        INDArray actual = model.graph().output(Map.of("x", x), "y").get("y");
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            INDArray expected = runtime.run(Map.of("x", x)).get("y");
            double error = actual.sub(expected).amaxNumber().doubleValue();
            assertThat(error).isLessThanOrEqualTo(bound);
            assertThat(expected.amaxNumber().doubleValue()).isGreaterThan(4 * bound);
        }
        Verification verification = OnnxVerifier.verify(file, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(verification.notes()).anyMatch(note -> note.contains("without quantised numbers"));
        assertThat(model.report().notes()).anyMatch(note -> note.contains("activations are no longer quantised"));
    }

    /** What rounding x to 255 steps can change in a product with rows of the weight. */
    private static double dynamicBound(INDArray x, double weightScale) {
        double range = Math.max(0, x.maxNumber().doubleValue())
                - Math.min(0, x.minNumber().doubleValue());
        double row = IN * 128 * weightScale;
        return row * range / 255 / 2 + 1e-4;
    }

    private static TinyModel dynamic() {
        return model().initializer(weight(IN, OUT))
                .initializer("w_scale", scale(0.01))
                .initializer(zero("w_zero", TensorProto.DataType.INT8, 0))
                .initializer("fc.bias", HostTensor.of(DataType.FLOAT, new long[] {OUT}, new double[] {1, 2, 3, 4}))
                .node("DynamicQuantizeLinear", "x", "x_q x_scale x_zero")
                .named("/fc/MatMul_quant", "MatMulInteger", "x_q w_quantized x_zero w_zero", "acc")
                .node("Cast", "acc", "acc_real", "to", 1)
                .node("Mul", "x_scale w_scale", "scales")
                .node("Mul", "acc_real scales", "product")
                .node("Add", "product fc.bias", "y");
    }

    @Test
    void dynamic_quantisation_becomes_a_linear_layer_with_its_scale_in_the_weight() {
        Path file = dynamic().write(folder);
        INDArray x = reals(5, IN);
        assertWithin(dynamicBound(x, 0.01), file, x);
        ImportedModel model = OnnxImporter.load(file);
        assertThat(model.linearLayers()).extracting(LinearLayer::module).containsExactly("fc");
        assertThat(model.linearLayers().get(0).bias()).contains("fc.bias");
        INDArray weight = model.graph().getVariable("fc.weight").getArr();
        assertThat(weight.getDouble(0, 1)).isEqualTo(bytes(2)[1] * 0.01, org.assertj.core.data.Offset.offset(1e-6));
    }

    @Test
    void gradients_flow_through_what_was_rounded() {
        ImportedModel model = OnnxImporter.load(dynamic().write(folder));
        INDArray x = reals(2, IN);
        model.graph().setLossVariables(model.graph().getVariable("y").sum().name());
        INDArray gradient =
                model.graph().calculateGradients(Map.of("x", x), "fc.weight").get("fc.weight");
        assertThat(gradient.getDouble(2, 1))
                .isEqualTo(x.getDouble(0, 2) + x.getDouble(1, 2), org.assertj.core.data.Offset.offset(1e-5));
    }

    @Test
    void scales_that_are_not_found_stay_behind_the_product() {
        Path file = model().initializer(weight(IN, OUT))
                .initializer("scales", scale(0.0003))
                .initializer("step", scale(0.02))
                .initializer(zero("x_zero", TensorProto.DataType.UINT8, 120))
                .node("QuantizeLinear", "x step x_zero", "x_q")
                .named("/fc/MatMul_quant", "MatMulInteger", "x_q w_quantized x_zero", "acc")
                .node("Cast", "acc", "acc_real", "to", 1)
                .node("Mul", "acc_real scales", "y")
                .write(folder);
        assertWithin(IN * 128 * 0.0003 / 2 + 1e-4, file, reals(5, IN));
        assertThat(OnnxImporter.load(file).linearLayers()).hasSize(1);
    }

    @Test
    void quantised_and_dequantised_activations_are_clipped_only() {
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, IN)
                .output("y", DataType.FLOAT, -1, IN)
                .initializer("step", scale(0.02))
                .initializer(zero("zero", TensorProto.DataType.UINT8, 30))
                .node("QuantizeLinear", "x step zero", "q")
                .node("DequantizeLinear", "q step zero", "y")
                .write(folder);
        INDArray x = reals(5, IN); // -1.5 to 1.5; -0.6 to 4.5 can be held
        assertWithin(0.01 + 1e-6, file, x);
        INDArray y = OnnxImporter.load(file).graph().output(Map.of("x", x), "y").get("y");
        assertThat(y.minNumber().doubleValue()).isEqualTo(-0.6, org.assertj.core.data.Offset.offset(1e-6));
    }

    @Test
    void products_of_quantised_matrices() {
        Path file = model().initializer(weight(IN, OUT))
                .initializer("w_scale", scale(0.01))
                .initializer(zero("w_zero", TensorProto.DataType.INT8, 3))
                .initializer("step", scale(0.02))
                .initializer(zero("x_zero", TensorProto.DataType.INT8, 5))
                .initializer("y_step", scale(0.1))
                .initializer(zero("y_zero", TensorProto.DataType.INT8, -2))
                .node("QuantizeLinear", "x step x_zero", "x_q")
                .named("/fc/MatMul", "QLinearMatMul", "x_q step x_zero w_quantized w_scale w_zero y_step y_zero", "y_q")
                .node("DequantizeLinear", "y_q y_step y_zero", "y")
                .write(folder);
        assertWithin(IN * 131 * 0.01 * 0.01 + 0.05 + 1e-4, file, reals(5, IN));
    }

    @Test
    void fused_products_of_onnx_runtime() {
        INDArray x = reals(5, IN);
        Path one = model().initializer(weight(IN, OUT))
                .initializer("w_scale", scale(0.01))
                .named("/fc/MatMul_quant", "com.microsoft:DynamicQuantizeMatMul", "x w_quantized w_scale", "y")
                .write(folder);
        assertWithin(dynamicBound(x, 0.01), one, x);
        Path two = model().initializer(weight(IN, OUT))
                .initializer("w_scale", scale(0.01))
                .initializer("b", HostTensor.of(DataType.FLOAT, new long[] {OUT}, new double[] {1, 2, 3, 4}))
                .node("DynamicQuantizeLinear", "x", "x_q x_scale x_zero")
                .node("com.microsoft:MatMulIntegerToFloat", "x_q w_quantized x_scale w_scale x_zero - b", "y")
                .write(folder);
        assertWithin(dynamicBound(x, 0.01), two, x);
    }

    @Test
    void rows_of_quantised_tables() {
        Path file = new TinyModel(13)
                .input("x", DataType.LONG, -1, 3)
                .output("y", DataType.FLOAT, -1, 3, OUT)
                .initializer(weight(IN, OUT))
                .initializer("w_scale", scale(0.01))
                .initializer(zero("w_zero", TensorProto.DataType.INT8, 4))
                .node("Gather", "w_quantized x", "rows")
                .node("DequantizeLinear", "rows w_scale w_zero", "y")
                .write(folder);
        assertThat(OnnxImporter.load(file).embeddings()).hasSize(1);
        assertThat(OnnxVerifier.verify(file, 1e-6, 1).passed()).isTrue();
    }

    @Test
    void quantised_convolutions() {
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, 2, 5)
                .output("y", DataType.FLOAT, -1, 3, 3)
                .initializer(tensor("w_quantized", TensorProto.DataType.UINT8, bytes(18), 3, 2, 3))
                .initializer("w_scale", scale(0.01))
                .initializer(zero("w_zero", TensorProto.DataType.UINT8, 128))
                .node("DynamicQuantizeLinear", "x", "x_q x_scale x_zero")
                .node("ConvInteger", "x_q w_quantized x_zero w_zero", "acc", "kernel_shape", new long[] {3})
                .node("Cast", "acc", "acc_real", "to", 1)
                .node("Mul", "x_scale w_scale", "scales")
                .node("Mul", "acc_real scales", "y")
                .write(folder);
        INDArray x = reals(2, 2, 5);
        assertWithin(dynamicBound(x, 0.01), file, x);
        assertThat(OnnxImporter.load(file).linearLayers()).hasSize(1);
    }

    @Test
    void a_scale_per_channel_of_activations_is_refused() {
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, IN)
                .output("y", DataType.FLOAT, -1, IN)
                .initializer("steps", HostTensor.filled(DataType.FLOAT, new long[] {IN}, 0.02))
                .node("QuantizeLinear", "x steps", "q", "axis", 1)
                .node("DequantizeLinear", "q steps", "y", "axis", 1)
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("scale per channel of activations");
    }

    @Test
    void quantised_weights_cannot_be_written_back() {
        ImportedModel model = OnnxImporter.load(dynamic().write(folder));
        INDArray values = model.graph().getVariable("fc.weight").getArr();
        assertThatThrownBy(
                        () -> OnnxWriter.writeMerged(model, Map.of("fc.weight", values), folder.resolve("merged.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is quantised in the ONNX file");
    }

    @Test
    void quantised_attention() {
        int width = 8;
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, -2, width)
                .output("y", DataType.FLOAT, -1, -2, width)
                .initializer(weight(width, 3 * width))
                .initializer("w_scale", scale(0.004))
                .initializer("b", HostTensor.filled(DataType.FLOAT, new long[] {3 * width}, 0.1))
                .node("DynamicQuantizeLinear", "x", "x_q x_scale x_zero")
                .named(
                        "att",
                        "com.microsoft:QAttention",
                        "x_q w_quantized b x_scale w_scale - x_zero",
                        "y",
                        "num_heads",
                        2)
                .write(folder);
        Verification verification = OnnxVerifier.verify(file, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(OnnxImporter.load(file).linearLayers()).hasSize(1);
        assertThat(List.copyOf(verification.notes()))
                .anyMatch(note -> note.startsWith("in ONNX Runtime quantising changes y"));
    }
}
