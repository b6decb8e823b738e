package dev.samediff.adapters;

import dev.samediff.adapters.graph.GraphEditor;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One adapter inside a graph.
 *
 * @param config its configuration
 * @param sites its layers
 * @param starts the tensors at the start by short name, per layer
 * @param scalingVariables graph scalars that hold s, per layer
 * @param insertions what was put into the graph, in order
 * @param penalty its regulariser in the graph, if it has one
 */
record Adapter(
        AdapterConfig config,
        List<AdaptedSite> sites,
        List<Map<String, INDArray>> starts,
        List<String> scalingVariables,
        List<GraphEditor.Insertion> insertions,
        @Nullable PenaltyTerm penalty) {

    String name() {
        return config.name();
    }

    /** Names of all trainable variables, in a fixed order. */
    List<String> trainableNames() {
        return sites.stream()
                .flatMap(site -> site.trainables().values().stream())
                .toList();
    }

    /**
     * The regulariser in the graph.
     *
     * @param penalty the formula
     * @param variable graph scalar: coefficient * penalty
     * @param coefficient graph scalar gamma / eta_max, 0 until the peak learning rate is known
     * @param variables all variables the term made
     */
    record PenaltyTerm(Penalty penalty, String variable, String coefficient, List<String> variables) {}
}
