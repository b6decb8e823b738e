package dev.samediff.tuning.training;

import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.SharingCopy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Graphs of one base model, one for each trial that runs at the same time. All read the same arrays; adapters give a graph
 * arrays of its own before they change any. Thread-safe.
 */
public final class BaseModels {
    private final SameDiff base;
    private final Map<String, String> modulePaths;
    private final Map<String, INDArray> shared = new LinkedHashMap<>();
    private final Deque<SameDiff> free = new ArrayDeque<>();

    /**
     * Takes a base model; its graph must not be used by others from now on.
     *
     * @param model a model without adapters
     */
    public BaseModels(BaseModel model) {
        this(model.graph(), model.modulePaths());
    }

    /**
     * Takes the graph of a base model; it must not be used by others from now on.
     *
     * @param base the graph without adapters
     * @param modulePaths module paths by weight variable, as the importer gives them
     */
    public BaseModels(SameDiff base, Map<String, String> modulePaths) {
        this.base = base;
        this.modulePaths = Map.copyOf(modulePaths);
        for (SDVariable variable : base.variables()) {
            if (isStored(variable)) {
                shared.put(variable.name(), variable.getArr());
            }
        }
    }

    private static boolean isStored(SDVariable variable) {
        VariableType type = variable.getVariableType();
        return (type == VariableType.CONSTANT || type == VariableType.VARIABLE) && variable.getArr() != null;
    }

    /** Returns the bytes of the arrays that all graphs share. */
    public long bytes() {
        return shared.values().stream()
                .mapToLong(array -> array.length() * array.dataType().width())
                .sum();
    }

    /** Returns the module paths by weight variable. */
    public Map<String, String> modulePaths() {
        return modulePaths;
    }

    /** Lends a graph without adapters. */
    public synchronized SameDiff borrow() {
        SameDiff graph = free.poll();
        return graph == null ? SharingCopy.of(base) : graph;
    }

    /** Takes a graph back whose adapters were unloaded; a graph that a failure left in an unknown state is not given back. */
    public synchronized void giveBack(SameDiff graph) {
        GraphEditor editor = new GraphEditor(graph);
        shared.forEach((name, array) -> {
            if (graph.getVariable(name).getArr() != array) {
                editor.replaceArray(name, array);
            }
        });
        free.push(graph);
    }
}
