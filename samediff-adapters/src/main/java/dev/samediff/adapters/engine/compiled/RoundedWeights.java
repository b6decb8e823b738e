package dev.samediff.adapters.engine.compiled;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Frozen weights rounded to bfloat16. */
interface RoundedWeights extends AutoCloseable {
    /**
     * Returns the rounded copy.
     *
     * @param variable the weight's name
     * @param source its present array
     * @param onChange told when it is not the one that was returned before
     */
    INDArray get(String variable, INDArray source, Runnable onChange);

    /** Returns the memory of the copies in bytes. */
    long bytes();

    @Override
    void close();
}
