package dev.samediff.adapters.graph;

import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * Layers that SameDiff writes as one op: {@code sd.nn.linear} ({@code x W + b}) and {@code sd.nn.reluLayer}
 * ({@code relu(x W + b)}). An adapter's branch goes between the product and the rest, so they are taken apart into a product,
 * a sum and a relu, which compute the same; the result keeps its name.
 */
public final class FusedLayers {
    private static final Set<String> RELU = Set.of("relu_layer");
    private static final Set<String> TYPES = Set.of("xw_plus_b", "linear_layer", "relu_layer");

    private FusedLayers() {}

    /** Tells whether an op is a layer with its weight as the second input, [in,out], as it stands. */
    static boolean isOne(SameDiffOp op) {
        boolean plain = !(op.getOp() instanceof DynamicCustomOp custom)
                || java.util.Arrays.stream(custom.iArgs()).allMatch(flag -> flag == 0);
        return TYPES.contains(op.getOp().opName()) && Internals.inputs(op).size() == 3 && plain;
    }

    /** Takes all layers apart whose weights are stored. */
    public static void takeApart(SameDiff graph) {
        List<SameDiffOp> layers = graph.getOps().values().stream()
                .filter(FusedLayers::isOne)
                .filter(op -> LinearSites.isWeight(
                        graph.getVariable(Internals.inputs(op).get(1))))
                .toList();
        GraphEditor editor = new GraphEditor(graph);
        layers.forEach(op -> takeApart(graph, editor, op));
    }

    private static void takeApart(SameDiff graph, GraphEditor editor, SameDiffOp op) {
        String output = op.getOutputsOfOp().get(0);
        List<String> inputs = Internals.inputs(op);
        boolean relu = RELU.contains(op.getOp().opName());
        GraphEditor.Insertion insertion = editor.insert(output, output + "/fused", fused -> {
            SDVariable product =
                    graph.mmul(output + "/product", graph.getVariable(inputs.get(0)), graph.getVariable(inputs.get(1)));
            SDVariable sum = product.add(output + "/sum", graph.getVariable(inputs.get(2)));
            return relu ? graph.nn().relu(output + "/relu", sum, 0) : sum;
        });
        editor.removeWithProducers(List.of(insertion.base()));
    }
}
