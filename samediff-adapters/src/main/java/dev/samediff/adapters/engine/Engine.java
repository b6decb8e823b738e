package dev.samediff.adapters.engine;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Executes steps of one graph. Not thread-safe; arrays handed out belong to the caller.
 */
public interface Engine extends AutoCloseable {
    /**
     * Runs forward and backward once. Parameters are not changed.
     *
     * @param placeholders placeholder values by name
     * @return loss and the gradient of every trainable variable
     */
    Gradients gradients(Map<String, INDArray> placeholders);

    /**
     * Runs forward only.
     *
     * @param placeholders placeholder values by name; those the outputs do not need may be absent
     * @param outputs names of the variables to return
     */
    Map<String, INDArray> outputs(Map<String, INDArray> placeholders, Collection<String> outputs);

    /** Returns what the training steps so far were executed by; empty if there were too few, or nobody knows. */
    default Optional<ExecutionReport> report() {
        return Optional.empty();
    }

    @Override
    void close();

    /**
     * What one forward and backward pass gives.
     *
     * @param loss the task loss
     * @param byName gradient of each trainable variable, shaped as the variable
     */
    record Gradients(double loss, Map<String, INDArray> byName) {}
}
