package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.nd4j.Dense;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Constants that a plan was computed with. Those of up to 1 MB are compared by all their bits, such as the factors that
 * switch adapters on and off; larger ones, such as causal masks, as {@link WeightWatch} does.
 */
final class FoldedConstants {
    private static final long LARGEST_COMPARED = 1 << 20;

    private final SameDiff graph;
    private final Set<String> names;
    private final Map<String, INDArray> contents = new HashMap<>();
    private final WeightWatch large;

    FoldedConstants(SameDiff graph, Map<String, INDArray> arrays) {
        this.graph = graph;
        this.names = new LinkedHashSet<>(arrays.keySet());
        this.large = new WeightWatch(graph);
        arrays.forEach((name, array) -> {
            if (array.isEmpty() || array.length() * array.dataType().width() <= LARGEST_COMPARED) {
                contents.put(name, array.isEmpty() ? array : array.dup('c'));
            } else {
                large.remember(name, array);
            }
        });
    }

    /** Tells whether an array is the graph's own. */
    boolean holds(INDArray array) {
        return names.stream().map(graph::getArrForVarName).anyMatch(own -> own != null && own.data() == array.data());
    }

    /** Returns the name of one that is another now; the graph must still have them all. */
    Optional<String> changed() {
        for (String name : names) {
            if (!isUnchanged(name)) {
                return Optional.of(name);
            }
        }
        return Optional.empty();
    }

    private boolean isUnchanged(String name) {
        @Nullable INDArray now = graph.getArrForVarName(name);
        @Nullable INDArray content = contents.get(name);
        if (now == null) {
            return false;
        }
        return content == null ? large.isUnchanged(name, now) : Dense.equal(content, now);
    }
}
