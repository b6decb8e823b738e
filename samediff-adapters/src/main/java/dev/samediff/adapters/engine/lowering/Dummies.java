package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.memory.BlankArrays;
import dev.samediff.adapters.memory.HostMemory;
import java.util.ArrayDeque;
import java.util.Deque;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Arrays that stand for tensors where only their shape matters. Float ones lie at one address, in memory that nobody touches: ND4J sets
 * arrays to 0 even when asked not to, at 0.3 GB/s, which was half of the time that compiling a model of a thousand million took.
 */
final class Dummies {
    /** The least room, in bytes of addresses. */
    private static final long LEAST = 1L << 24;

    /** Addresses that were given out; an array that somebody still has must not lie at one that is gone. */
    private static final Deque<INDArray> ROOMS = new ArrayDeque<>();

    private Dummies() {}

    /** Returns a known value itself, and an array of the shape of any other: filled with a number, or never touched if it is float. */
    static INDArray of(Value value, int content) {
        INDArray known = value.known();
        if (known != null) {
            return known;
        }
        if (value.type().isFPType()) {
            return untouched(value.type(), value.shape());
        }
        INDArray array = Nd4j.createUninitialized(value.type(), value.shape());
        return array.assign(value.type() == DataType.BOOL ? Math.min(content, 1) : content);
    }

    private static INDArray untouched(DataType type, long[] shape) {
        long bytes = type.width();
        for (long size : shape) {
            bytes *= size;
        }
        if (bytes == 0 || !Nd4j.getEnvironment().isCPU()) {
            return Nd4j.createUninitialized(type, shape);
        }
        return HostMemory.array(address(bytes), type, shape, Nd4j.getStrides(shape, 'c'));
    }

    private static synchronized long address(long bytes) {
        if (ROOMS.isEmpty() || ROOMS.getLast().length() < bytes) {
            ROOMS.add(BlankArrays.of(DataType.BYTE, Math.max(LEAST, 2 * bytes)));
        }
        return ROOMS.getLast().data().pointer().address();
    }
}
