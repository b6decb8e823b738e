package dev.samediff.adapters.text.generation;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A causal language model as generation sees it. */
@FunctionalInterface
public interface LogitsFunction {
    /**
     * Logits of the next token.
     *
     * @param ids token ids {@code [batch, T]} LONG, padded on the right
     * @param lengths real tokens of each row
     * @return {@code [batch, T, vocabulary]}, of which position {@code lengths[b] - 1} is read, or {@code [batch,
     *     vocabulary]} with that position only
     */
    INDArray logits(INDArray ids, int[] lengths);

    /** Says that new texts follow, and that the model may have changed since the last ones: nothing of them is to be used. */
    default void restart() {}
}
