package dev.samediff.adapters.inject;

import dev.samediff.adapters.graph.GraphEditor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The tensors that the adapters of one graph train whole, and their rows of tables. Low-rank changes of the same weight by other adapters are computed
 * from the caller's array, so whoever looks at base weights or replaces them does so between {@link #withdraw} and {@link
 * #refresh}.
 *
 * @param graph the graph
 * @param editor its editor
 * @param adapters its adapters
 */
record HeldTensors(SameDiff graph, GraphEditor editor, AdapterSet adapters) {
    /** Puts the caller's arrays back. */
    void withdraw() {
        adapters.all().forEach(this::withdraw);
    }

    /** Puts those back that one adapter replaced. */
    void withdraw(Adapter adapter) {
        adapter.held().forEach(held -> held.withdraw(graph, editor));
        adapter.rows().forEach(rows -> rows.withdraw(graph, editor));
    }

    /** Puts those back that the graph is not to hold any more. */
    void withdrawOthers(boolean enabled, boolean merged) {
        for (Adapter adapter : adapters.all()) {
            for (HeldTensor held : adapter.held()) {
                if (held.shown() != wanted(adapter, enabled, merged)) {
                    held.withdraw(graph, editor);
                }
            }
            if (wanted(adapter, enabled, merged) != HeldTensor.Shown.MERGED) {
                adapter.rows().forEach(rows -> rows.withdraw(graph, editor));
            }
        }
    }

    /** Lets the graph hold what the flags and the set of active adapters ask for. */
    void refresh(boolean enabled, boolean merged) {
        for (Adapter adapter : adapters.all()) {
            HeldTensor.Shown wanted = wanted(adapter, enabled, merged);
            adapter.held().forEach(held -> held.show(wanted, graph, editor));
            adapter.rows().forEach(rows -> rows.show(wanted, graph, editor));
        }
    }

    private HeldTensor.Shown wanted(Adapter adapter, boolean enabled, boolean merged) {
        if (!enabled || !adapters.isActive(adapter)) {
            return HeldTensor.Shown.ORIGINAL;
        }
        return merged ? HeldTensor.Shown.MERGED : HeldTensor.Shown.TRAINED;
    }

    /** The tensors of the active adapters by variable, copied, as the graph stores them. */
    Map<String, INDArray> merged() {
        Map<String, INDArray> merged = new LinkedHashMap<>();
        for (Adapter adapter : adapters.active()) {
            adapter.held()
                    .forEach(held ->
                            merged.put(held.variable(), held.value(graph).dup('c')));
            adapter.rows().forEach(rows -> merged.putAll(rows.merged(graph)));
        }
        return merged;
    }
}
