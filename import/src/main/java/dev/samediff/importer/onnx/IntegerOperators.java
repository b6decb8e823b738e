package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/**
 * Takes operators on quantised numbers apart: each becomes DequantizeLinear of what it reads, the operator on real numbers,
 * and QuantizeLinear of what it writes, if that is quantised too.
 *
 * <p>MatMulInteger and ConvInteger leave the scales to nodes behind them: {@code Mul(Cast(MatMulInteger(a, b)),
 * Mul(scale of a, scale of b))}. Where that is found, the scale of the weight goes into the weight, so that what is adapted
 * has the size it had before it was quantised.
 */
final class IntegerOperators {
    private static final String ONNX_RUNTIME = "com.microsoft:";

    private final GraphRewriting graph;
    private final Map<List<String>, String> real = new HashMap<>();
    private final Map<String, Scaled> scaled = new HashMap<>();
    private final Set<String> merged = new HashSet<>();
    private @Nullable String one;

    private IntegerOperators(GraphProto source) {
        this.graph = new GraphRewriting(source);
    }

    /** Returns the graph without such operators. */
    static GraphProto apart(GraphProto source) {
        IntegerOperators all = new IntegerOperators(source);
        for (NodeProto node : source.getNodeList()) {
            all.findScales(new OnnxNode(node));
        }
        for (NodeProto node : source.getNodeList()) {
            if (!all.merged.contains(node.getOutputCount() > 0 ? node.getOutput(0) : "")) {
                all.look(new OnnxNode(node), node);
            }
        }
        return all.graph.result();
    }

    private void look(OnnxNode node, NodeProto proto) {
        switch (node.operator()) {
            case "MatMulInteger" -> integerProduct(node, "MatMul");
            case "ConvInteger" -> integerProduct(node, "Conv");
            case "QLinearMatMul" -> quantised(node, "MatMul", 6, real(node, 0, 1, 2, -1), real(node, 3, 4, 5, -1));
            case "QLinearConv" -> convolution(node);
            case ONNX_RUNTIME + "QLinearAdd" ->
                quantised(node, "Add", 6, real(node, 0, 1, 2, -1), real(node, 3, 4, 5, -1));
            case ONNX_RUNTIME + "QLinearMul" ->
                quantised(node, "Mul", 6, real(node, 0, 1, 2, -1), real(node, 3, 4, 5, -1));
            case ONNX_RUNTIME + "QLinearSigmoid" -> quantised(node, "Sigmoid", 3, real(node, 0, 1, 2, -1));
            case ONNX_RUNTIME + "QLinearLeakyRelu" -> quantised(node, "LeakyRelu", 3, real(node, 0, 1, 2, -1));
            case ONNX_RUNTIME + "QLinearSoftmax" -> quantised(node, "Softmax", 3, real(node, 0, 1, 2, -1));
            case ONNX_RUNTIME + "QLinearAveragePool" -> quantised(node, "AveragePool", 3, real(node, 0, 1, 2, -1));
            case ONNX_RUNTIME + "QLinearConcat" -> concat(node);
            case ONNX_RUNTIME + "QGemm" -> gemm(node);
            case ONNX_RUNTIME + "DynamicQuantizeMatMul" -> product(node, node.input(0), real(node, 1, 2, 3, -1), 4);
            case ONNX_RUNTIME + "MatMulIntegerToFloat" ->
                product(node, real(node, 0, 2, 4, -1), real(node, 1, 3, 5, -1), 6);
            case ONNX_RUNTIME + "QAttention" -> attention(node);
            case ONNX_RUNTIME + "QEmbedLayerNormalization" -> embedding(node);
            default -> graph.keep(proto);
        }
    }

    /** The nodes behind an integer product that multiply it by both scales. */
    private record Scaled(String scaleOfA, String scaleOfB, String result) {}

    private void findScales(OnnxNode node) {
        if (!node.operator().equals("MatMulInteger") && !node.operator().equals("ConvInteger")) {
            return;
        }
        OnnxNode cast = graph.onlyReader(node.output(0), "Cast");
        OnnxNode product = cast == null ? null : graph.onlyReader(cast.output(0), "Mul");
        OnnxNode quantiser = graph.writer(node.input(0));
        if (cast == null || product == null || quantiser == null) {
            return;
        }
        String scale = quantiser.operator().equals("DynamicQuantizeLinear")
                ? quantiser.output(1)
                : quantiser.operator().equals("QuantizeLinear") ? quantiser.input(1) : "";
        String both = product.input(product.input(0).equals(cast.output(0)) ? 1 : 0);
        OnnxNode scales = graph.writer(both);
        if (scale.isEmpty() || scales == null || !scales.operator().equals("Mul")) {
            return;
        }
        int first = scales.input(0).equals(scale) ? 0 : 1;
        if (scales.input(first).equals(scale) && graph.isStored(scales.input(1 - first))) {
            scaled.put(node.output(0), new Scaled(scale, scales.input(1 - first), product.output(0)));
            merged.add(cast.output(0));
            merged.add(product.output(0));
        }
    }

    private void integerProduct(OnnxNode node, String operator) {
        Scaled found = scaled.get(node.output(0));
        String scaleOfA = found == null ? one() : found.scaleOfA();
        String scaleOfB = found == null ? one() : found.scaleOfB();
        String a = real(node.input(0), scaleOfA, node.input(2), -1);
        String b = real(node.input(1), scaleOfB, node.input(3), operator.equals("Conv") ? 0 : -1);
        graph.emit(operator, node.name(), node.attributes(), found == null ? node.output(0) : found.result(), a, b);
    }

    private String one() {
        String known = one;
        if (known == null) {
            known = graph.number("scale of one", 1);
            one = known;
        }
        return known;
    }

    private String real(OnnxNode node, int value, int scale, int zero, int axis) {
        return real(node.input(value), node.input(scale), node.input(zero), axis);
    }

    /**
     * The real numbers behind quantised ones, once for each scale.
     *
     * @param axis along which the scales run if there are several; -1: the last
     */
    private String real(String value, String scale, String zero, int axis) {
        return real.computeIfAbsent(List.of(value, scale, zero), key -> {
            TensorProto tensor = graph.stored(value);
            int last = tensor == null ? 1 : Math.max(1, tensor.getDimsCount()) - 1;
            String output = graph.fresh(value + "::dequantised");
            List<AttributeProto> attributes = List.of(GraphRewriting.attribute("axis", axis < 0 ? last : axis));
            return zero.isEmpty()
                    ? graph.emit("DequantizeLinear", output, attributes, output, value, scale)
                    : graph.emit("DequantizeLinear", output, attributes, output, value, scale, zero);
        });
    }

    /** An operator on real numbers whose result is quantised by the inputs {@code scale} and {@code scale + 1}. */
    private void quantised(OnnxNode node, String operator, int scale, String... inputs) {
        List<AttributeProto> attributes = node.attributes().stream()
                .filter(attribute -> !Set.of("opset", "channels_last").contains(attribute.getName()))
                .toList();
        if (node.integer("channels_last", 0) != 0) {
            throw new InvalidInputException(
                    node
                            + " has its channels last; only channels first can be imported: quantise it so, or import the float model");
        }
        String result = graph.fresh(node.output(0) + "::real");
        graph.emit(operator, node.name(), attributes, result, inputs);
        quantise(node, result, scale);
    }

    private void quantise(OnnxNode node, String result, int scale) {
        List<String> inputs = new ArrayList<>(List.of(result, node.input(scale)));
        if (!node.input(scale + 1).isEmpty()) {
            inputs.add(node.input(scale + 1));
        }
        graph.emit("QuantizeLinear", node.output(0), inputs.toArray(new String[0]));
    }

    /** The bias of a convolution and of QGemm is stored as whole numbers whose scale is the product of the other two. */
    private String bias(OnnxNode node, int bias, int scaleOfA, int scaleOfB) {
        double[] left = numbers(node, scaleOfA);
        double[] right = numbers(node, scaleOfB);
        if (left.length != 1) {
            throw new InvalidInputException(node
                    + " has a scale per channel of what is not a weight; one can be imported: quantise it per tensor, or"
                    + " import the float model");
        }
        TensorProto.Builder scales = TensorProto.newBuilder()
                .setName(graph.fresh(node.input(bias) + "::scale"))
                .setDataType(TensorProto.DataType.FLOAT_VALUE);
        if (right.length > 1) {
            scales.addDims(right.length);
        }
        Arrays.stream(right).forEach(scale -> scales.addFloatData((float) (scale * left[0])));
        return real(node.input(bias), graph.store(scales.build()), "", 0);
    }

    private double[] numbers(OnnxNode node, int input) {
        TensorProto tensor = graph.stored(node.input(input));
        if (tensor == null) {
            throw new InvalidInputException(node
                    + " computes the scale of its bias; only stored ones can be imported: adapt the float model that was"
                    + " quantised");
        }
        return OnnxTensor.inline(node + "'s scale", tensor).asDoubles();
    }

    private void convolution(OnnxNode node) {
        List<String> inputs = new ArrayList<>(List.of(real(node, 0, 1, 2, -1), real(node, 3, 4, 5, 0)));
        if (!node.input(8).isEmpty()) {
            inputs.add(bias(node, 8, 1, 4));
        }
        quantised(node, "Conv", 6, inputs.toArray(new String[0]));
    }

    private void gemm(OnnxNode node) {
        boolean transposed = node.integer("transB", 0) == 1;
        List<String> inputs =
                new ArrayList<>(List.of(real(node, 0, 1, 2, -1), real(node, 3, 4, 5, transposed ? 0 : 1)));
        if (!node.input(6).isEmpty()) {
            inputs.add(bias(node, 6, 1, 4));
        }
        if (node.input(7).isEmpty()) {
            graph.emit("Gemm", node.name(), node.attributes(), node.output(0), inputs.toArray(new String[0]));
        } else {
            quantised(node, "Gemm", 7, inputs.toArray(new String[0]));
        }
    }

    private void concat(OnnxNode node) {
        List<String> parts = new ArrayList<>();
        for (int i = 2; i + 1 < node.inputs().size(); i += 3) {
            parts.add(real(node, i, i + 1, i + 2, -1));
        }
        quantised(node, "Concat", 0, parts.toArray(new String[0]));
    }

    private void product(OnnxNode node, String a, String b, int bias) {
        String added = node.input(bias);
        String result = added.isEmpty() ? node.output(0) : graph.fresh(node.output(0) + "::product");
        graph.emit("MatMul", node.name(), List.of(), result, a, b);
        if (!added.isEmpty()) {
            graph.emit("Add", graph.fresh(node.name() + "/Add"), List.of(), node.output(0), result, added);
        }
    }

    private void attention(OnnxNode node) {
        graph.keep(NodeProto.newBuilder()
                .setDomain("com.microsoft")
                .setOpType("Attention")
                .setName(node.name())
                .addAllAttribute(node.attributes())
                .addInput(real(node, 0, 3, 6, -1))
                .addInput(real(node, 1, 4, 7, -1))
                .addInput(node.input(2))
                .addInput(node.input(5))
                .addInput(node.input(8))
                .addAllOutput(node.outputs())
                .build());
    }

    private void embedding(OnnxNode node) {
        NodeProto.Builder plain = NodeProto.newBuilder()
                .setDomain("com.microsoft")
                .setOpType("EmbedLayerNormalization")
                .setName(node.name())
                .addAllAttribute(node.attributes())
                .addInput(node.input(0))
                .addInput(node.input(1));
        for (int i = 0; i < 5; i++) {
            plain.addInput(node.input(2 + i).isEmpty() ? "" : real(node, 2 + i, 8 + i, 13 + i, -1));
        }
        graph.keep(plain.addInput(node.input(7)).addAllOutput(node.outputs()).build());
    }
}
