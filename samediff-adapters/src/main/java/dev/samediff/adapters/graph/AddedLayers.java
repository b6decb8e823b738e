package dev.samediff.adapters.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/** Finds the layers that somebody built onto a graph: stored matrices that came later and multiply activations. */
public final class AddedLayers {
    private static final Set<String> PRODUCTS =
            Set.of("matmul", "mmul", "xw_plus_b", "linear_layer", "relu_layer", "conv1d", "conv2d", "tensormmul");

    private AddedLayers() {}

    /**
     * Returns the names of the matrices.
     *
     * @param graph the graph
     * @param before names of the variables it had
     */
    public static List<String> of(SameDiff graph, Set<String> before) {
        Set<String> activations = LinearSites.dependingOnPlaceholders(graph);
        List<String> added = new ArrayList<>();
        for (SDVariable variable : graph.variables()) {
            boolean stored = variable.getVariableType() == VariableType.VARIABLE
                    || variable.getVariableType() == VariableType.CONSTANT;
            String name = variable.name();
            if (stored
                    && !before.contains(name)
                    && !AdapterTensors.isOne(name)
                    && !name.endsWith(EmbeddingSite.copyOf(""))
                    && variable.dataType().isFPType()
                    && variable.getArr() != null
                    && variable.getArr().rank() >= 2
                    && Internals.readers(graph, name).stream()
                            .map(op -> Internals.op(graph, op))
                            .anyMatch(op -> PRODUCTS.contains(op.getOp().opName())
                                    && Internals.inputs(op).stream().anyMatch(activations::contains))) {
                added.add(name);
            }
        }
        return added;
    }
}
