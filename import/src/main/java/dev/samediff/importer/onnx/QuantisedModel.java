package dev.samediff.importer.onnx;

import java.util.Map;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;

/**
 * A model without quantised numbers: operators on them are taken apart ({@link IntegerOperators}), activations are no longer
 * rounded ({@link UnroundedActivations}), stored weights are what they stand for ({@link QuantisedWeights}).
 *
 * @param model the model
 * @param files where its tensors are, dequantised ones among them
 * @param weights the weights that were dequantised, by the names of their tensors
 * @param activations how many nodes computed with quantised activations
 */
public record QuantisedModel(
        ModelProto model, ExternalData files, Map<String, ComputedWeight> weights, int activations) {
    private static final String ONNX_RUNTIME = "com.microsoft:";

    private static final Set<String> ON_ACTIVATIONS = Set.of(
            "QuantizeLinear",
            "DequantizeLinear",
            "DynamicQuantizeLinear",
            "MatMulInteger",
            "ConvInteger",
            "QLinearMatMul",
            "QLinearConv",
            ONNX_RUNTIME + "QLinearAdd",
            ONNX_RUNTIME + "QLinearMul",
            ONNX_RUNTIME + "QLinearSigmoid",
            ONNX_RUNTIME + "QLinearLeakyRelu",
            ONNX_RUNTIME + "QLinearSoftmax",
            ONNX_RUNTIME + "QLinearAveragePool",
            ONNX_RUNTIME + "QLinearConcat",
            ONNX_RUNTIME + "QGemm",
            ONNX_RUNTIME + "DynamicQuantizeMatMul",
            ONNX_RUNTIME + "MatMulIntegerToFloat",
            ONNX_RUNTIME + "QAttention",
            ONNX_RUNTIME + "QEmbedLayerNormalization");

    /** Returns the operators that are taken apart. */
    public static Set<String> operators() {
        return ON_ACTIVATIONS;
    }

    /** The operator's name; ONNX Runtime has QuantizeLinear and DequantizeLinear of its own that mean the same. */
    static String plain(String operator) {
        return operator.equals(ONNX_RUNTIME + "QuantizeLinear") || operator.equals(ONNX_RUNTIME + "DequantizeLinear")
                ? operator.substring(ONNX_RUNTIME.length())
                : operator;
    }

    /**
     * Dequantises a model.
     *
     * @param files where its tensors are; those of dequantised weights are added
     * @throws dev.samediff.adapters.InvalidInputException if numbers do not fit their scales, or are of a kind that is not
     *     known
     */
    static QuantisedModel of(ModelProto model, ExternalData files, int opset) {
        GraphProto graph = model.getGraph();
        int activations = onActivations(graph);
        if (activations > 0) {
            graph = UnroundedActivations.of(IntegerOperators.apart(graph), opset);
        }
        QuantisedWeights weights = new QuantisedWeights(graph, files);
        GraphProto plain = weights.dequantised();
        return plain == model.getGraph()
                ? new QuantisedModel(model, files, Map.of(), 0)
                : new QuantisedModel(model.toBuilder().setGraph(plain).build(), files, weights.computed(), activations);
    }

    private static int onActivations(GraphProto graph) {
        Map<String, TensorProto> stored = new GraphRewriting(graph).allStored();
        int count = 0;
        for (NodeProto node : graph.getNodeList()) {
            String operator = plain(new OnnxNode(node).operator());
            boolean weight = operator.equals("DequantizeLinear")
                    && node.getInputCount() > 0
                    && stored.containsKey(node.getInput(0));
            count += ON_ACTIVATIONS.contains(operator) && !weight ? 1 : 0;
        }
        return count;
    }
}
