package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.memory.NativeBlock;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A copy of an array in bfloat16, and its memory: ND4J would clear it first, at 0.3 GB/s, which is seconds for a model of a thousand million.
 *
 * @param array the copy; not used any more after this is closed
 * @param memory its memory
 */
public record RoundedCopy(INDArray array, NativeBlock memory) implements AutoCloseable {
    /** Returns how many bytes it takes. */
    public long bytes() {
        return memory.bytes();
    }

    @Override
    public void close() {
        memory.close();
    }
}
