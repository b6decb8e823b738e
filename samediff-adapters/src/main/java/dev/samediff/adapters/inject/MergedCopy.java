package dev.samediff.adapters.inject;

import dev.samediff.adapters.graph.GraphEditor;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A new plain graph with the active adapters merged into its weights.
 *
 * @param graph the graph with adapters, not modified
 * @param adapters its adapters
 */
record MergedCopy(SameDiff graph, GraphAdapters adapters) {
    private static final long FLATBUFFERS_LIMIT = 940_000_000L;

    SameDiff make() {
        requireCopyable();
        SameDiff copy = graph.dup();
        Map<String, INDArray> weights = adapters.bases().merged();
        adapters.removeAll(copy, weights.keySet());
        GraphEditor editor = new GraphEditor(copy);
        for (BaseWeight base : adapters.bases().all()) {
            String weight = base.layer().weight();
            INDArray merged = weights.get(weight);
            editor.replaceArray(
                    weight,
                    merged == null
                            ? base.layer()
                                    .orientation()
                                    .asStored(base.trueWeight())
                                    .dup('c')
                            : merged);
        }
        editor.freeze(adapters.formerConstants());
        adapters.heldWeights().forEach((name, array) -> {
            if (copy.hasVariable(name)) { // what read a copy of a table may read the table again
                editor.replaceArray(name, array);
            }
        });
        return copy;
    }

    /** SameDiff copies and saves through FlatBuffers, which end at 2 GB counted in a way that about 0.94 GB is the limit. */
    private void requireCopyable() {
        long bytes = graph.variables().stream()
                .filter(v ->
                        v.getVariableType() == VariableType.CONSTANT || v.getVariableType() == VariableType.VARIABLE)
                .mapToLong(v -> v.getArr() == null
                        ? 0
                        : v.getArr().length() * v.dataType().width())
                .sum();
        if (bytes > FLATBUFFERS_LIMIT) {
            throw new IllegalStateException("the graph holds " + bytes / 1_000_000
                    + " MB; SameDiff M2.1 cannot copy more than " + FLATBUFFERS_LIMIT / 1_000_000
                    + " MB. Use merge() on this graph, or mergedWeights()");
        }
    }
}
