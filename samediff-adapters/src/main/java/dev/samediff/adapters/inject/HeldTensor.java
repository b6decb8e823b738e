package dev.samediff.adapters.inject;

import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.ModuleTensors;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tensor that an adapter trains whole: its own array, which the graph holds in place of the caller's while the adapter acts.
 *
 * <p>The variable is a VARIABLE while the graph holds what is trained, and a CONSTANT otherwise, so that nobody trains the
 * caller's array. While adapters are merged the graph holds a copy of what was trained, as it does of merged weights.
 */
public final class HeldTensor {
    /** What the graph holds. */
    enum Shown {
        /** The caller's array. */
        ORIGINAL,
        /** The adapter's array. */
        TRAINED,
        /** A copy of it. */
        MERGED
    }

    private final ModuleTensors.Tensor tensor;
    private INDArray trained;
    private @Nullable INDArray original;
    private Shown shown = Shown.ORIGINAL;

    /**
     * Takes an array over; the graph is not changed.
     *
     * @param tensor which tensor of the graph
     * @param trained the adapter's own array, as the graph stores it
     */
    HeldTensor(ModuleTensors.Tensor tensor, INDArray trained) {
        this.tensor = tensor;
        this.trained = trained;
    }

    ModuleTensors.Tensor tensor() {
        return tensor;
    }

    String variable() {
        return tensor.variable();
    }

    Shown shown() {
        return shown;
    }

    /** The adapter's array, which training writes to. */
    INDArray value(SameDiff graph) {
        return shown == Shown.TRAINED ? graph.getVariable(variable()).getArr() : trained;
    }

    /** Puts the caller's array back. */
    void withdraw(SameDiff graph, GraphEditor editor) {
        INDArray callers = original;
        if (callers == null) {
            return;
        }
        if (shown == Shown.TRAINED) {
            trained = value(graph);
            editor.freeze(List.of(variable()));
        }
        editor.replaceArray(variable(), callers);
        original = null;
        shown = Shown.ORIGINAL;
    }

    /** Puts the adapter's array, or a copy of it, in the place of the caller's. */
    void show(Shown wanted, SameDiff graph, GraphEditor editor) {
        if (shown == wanted) {
            return;
        }
        withdraw(graph, editor);
        if (wanted != Shown.ORIGINAL) {
            original = editor.replaceArray(variable(), wanted == Shown.MERGED ? trained.dup('c') : trained);
            shown = wanted;
            if (wanted == Shown.TRAINED) {
                editor.unfreeze(List.of(variable()));
            }
        }
    }
}
