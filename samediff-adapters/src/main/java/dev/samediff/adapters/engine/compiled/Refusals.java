package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.UncompilableException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What could not be compiled, so that it is not tried again in every step: forgotten when the graph has got other ops or
 * variables, or a constant that was computed with has changed.
 *
 * @param <K> what is compiled for
 */
final class Refusals<K> {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);
    private static final int MOST = 64;

    private final SameDiff graph;
    private final Map<K, Refusal> known = new LinkedHashMap<>(16, 0.75f, true);

    Refusals(SameDiff graph) {
        this.graph = graph;
    }

    private record Refusal(String reason, int ops, int variables, FoldedConstants constants) {}

    /** Returns why there is no plan, or null if that is not known, or no longer true. */
    @Nullable
    String reason(K key) {
        Refusal refusal = known.get(key);
        if (refusal == null) {
            return null;
        }
        if (refusal.ops() == graph.getOps().size()
                && refusal.variables() == graph.getVariables().size()
                && refusal.constants().changed().isEmpty()) {
            return refusal.reason();
        }
        known.remove(key);
        return null;
    }

    /**
     * Remembers and says once why there is no plan.
     *
     * @param key what was to be compiled
     * @param title the key in words
     * @param exception why not
     * @param folded the constants that were computed with until then
     */
    String add(K key, String title, UncompilableException exception, Map<String, INDArray> folded) {
        String reason = String.valueOf(exception.getMessage());
        LOG.warn("{} cannot be compiled and is left to SameDiff's own operations, which are slower: {}", title, reason);
        LOG.debug("where compiling ended", exception);
        known.put(
                key,
                new Refusal(
                        reason,
                        graph.getOps().size(),
                        graph.getVariables().size(),
                        new FoldedConstants(graph, new LinkedHashMap<>(folded))));
        if (known.size() > MOST) {
            known.remove(known.keySet().iterator().next());
        }
        return reason;
    }
}
