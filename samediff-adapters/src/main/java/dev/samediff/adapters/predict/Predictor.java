package dev.samediff.adapters.predict;

import java.util.List;

/**
 * Answers questions of one kind by one model, or by one of its adapters. Costs nothing to make, holds nothing that must be closed (the pool
 * does), and is safe for use by several threads.
 *
 * @param <I> what is asked
 * @param <O> what is answered
 */
public interface Predictor<I, O> {
    /** Answers one question. */
    default O predict(I input) {
        return predict(List.of(input)).get(0);
    }

    /**
     * Answers several, in batches of similar length, on as many workers of the pool as are free.
     *
     * @param inputs the questions
     * @return the answers in the order of the questions; none depends on the others, but for the rounding of its batch's size
     * @throws dev.samediff.adapters.InvalidInputException if one cannot be answered; the message says which and why
     */
    List<O> predict(List<? extends I> inputs);

    /**
     * Returns a predictor that answers by an adapter of the same pool.
     *
     * @param name name of the adapter, which must be in the pool when a question is asked
     */
    Predictor<I, O> withAdapter(String name);
}
