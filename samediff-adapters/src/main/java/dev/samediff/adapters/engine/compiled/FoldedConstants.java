package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.nd4j.Dense;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Constants that a plan was computed with. Small ones are compared by content, such as the factors that switch adapters on
 * and off; of large ones, such as causal masks, only that the graph still has the same array.
 */
final class FoldedConstants {
    private static final long LARGEST_COMPARED = 4096;

    private final SameDiff graph;
    private final Map<String, INDArray> arrays;
    private final Map<String, INDArray> contents = new LinkedHashMap<>();

    FoldedConstants(SameDiff graph, Map<String, INDArray> arrays) {
        this.graph = graph;
        this.arrays = arrays;
        arrays.forEach((name, array) -> {
            if (array.length() <= LARGEST_COMPARED && !array.isEmpty()) {
                contents.put(name, array.dup('c'));
            }
        });
    }

    /** Tells whether an array is the graph's own. */
    boolean holds(INDArray array) {
        return arrays.values().stream().anyMatch(own -> own.data() == array.data());
    }

    boolean areUnchanged() {
        for (Map.Entry<String, INDArray> entry : arrays.entrySet()) {
            INDArray now = graph.getArrForVarName(entry.getKey());
            INDArray content = contents.get(entry.getKey());
            boolean same = content == null ? now == entry.getValue() : Dense.equal(content, now);
            if (!same) {
                return false;
            }
        }
        return true;
    }
}
