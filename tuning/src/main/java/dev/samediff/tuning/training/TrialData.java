package dev.samediff.tuning.training;

import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** The data of all trials. Iterators have a position, so each trial gets its own. Called by several threads. */
public interface TrialData {
    /**
     * Returns training data.
     *
     * @param batch examples per batch
     * @param seed seed of the order
     */
    MultiDataSetIterator train(int batch, long seed);

    /** Returns evaluation data, whose loss is the score. */
    MultiDataSetIterator evaluation();
}
