package dev.samediff.adapters;

import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a method does after every update of a training, such as AdaLoRA's choice of the ranks that stay, or to the gradients before it. One object belongs to one
 * trainer and remembers what it has seen; checkpoints hold its {@link #state}.
 */
public interface AfterStep {
    /**
     * Says how long a run is, before its first update; also of a run that goes on from a checkpoint.
     *
     * @param updates planned updates of the run
     * @throws InvalidInputException if what is to be done does not fit into so many
     */
    void begin(int updates);

    /** Returns whether this changes gradients ({@link #correct}) instead of following updates. */
    default boolean corrects() {
        return false;
    }

    /**
     * Changes the gradients of an update, after their norm was taken for clipping. It is asked if {@link #corrects}.
     *
     * @param layers as for {@link #updated}; gradients where they lie, those of the task's loss times a constant, without those of tensors
     *     that stay as they are
     */
    default void correct(List<Layer> layers) {}

    /**
     * Follows an update. It is not called if this {@link #corrects}.
     *
     * @param update its number in the run, from 1
     * @param layers the layers of the adapter, always the same in the same order
     */
    void updated(int update, List<Layer> layers);

    /** Returns what must be known to go on, by names of its own, FLOAT; empty before the first update. */
    Map<String, INDArray> state();

    /**
     * Takes over a saved state.
     *
     * @param state as {@link #state} gave it
     */
    void restore(Map<String, INDArray> state);

    /**
     * One layer after an update.
     *
     * @param values its trainable tensors by short name, where they lie; they may be written to
     * @param gradients by short name, with which the update was made: after clipping, with that of a penalty; copies
     * @param scaling the layer's s
     */
    record Layer(Map<String, INDArray> values, Map<String, INDArray> gradients, double scaling) {}
}
