package dev.samediff.adapters.engine.reference;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An array during a run.
 *
 * @param array the array
 * @param storage the pool's block it lies in; null for placeholders, constants and parameters
 */
record HeldArray(INDArray array, @Nullable Storage storage) {
    /** Returns another value on the same block. */
    HeldArray alias(INDArray other) {
        if (storage != null) {
            storage.references++;
        }
        return new HeldArray(other, storage);
    }
}
