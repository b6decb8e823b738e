package dev.samediff.adapters.memory;

import com.sun.jna.Platform;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Arrays that have a shape and no numbers: all are 0, and no memory is taken as long as nobody writes them. A graph with such weights tells
 * what a training of a model needs without the model being read.
 */
public final class BlankArrays {
    private static final Cleaner CLEANER = Cleaner.create();

    /** Addresses of the first bytes. */
    private static final Set<Long> BLANK = ConcurrentHashMap.newKeySet();

    /** The least room of arrays that share one, in bytes of addresses. */
    private static final long LEAST = 1L << 24;

    /** Rooms that were given out; an array that somebody still has must not lie at an address that is gone. */
    private static final Deque<INDArray> ROOMS = new ArrayDeque<>();

    private BlankArrays() {}

    /**
     * Returns an array for its shape alone, which nobody may write: all of them lie at one address. ND4J sets arrays to 0 even when asked not to,
     * at 0.3 GB/s, which was half of the time that compiling a model of a thousand million weights took.
     *
     * @param type of its numbers
     * @param shape of at least one, or none
     */
    public static INDArray shared(DataType type, long... shape) {
        long bytes = type.width();
        for (long size : shape) {
            bytes = Math.multiplyExact(bytes, size);
        }
        if (bytes == 0 || !Nd4j.getEnvironment().isCPU()) {
            return Nd4j.createUninitialized(type, shape);
        }
        return HostMemory.array(room(bytes), type, shape, Nd4j.getStrides(shape, 'c'));
    }

    private static synchronized long room(long bytes) {
        if (ROOMS.isEmpty() || ROOMS.getLast().length() < bytes) {
            ROOMS.add(of(DataType.BYTE, Math.max(LEAST, 2 * bytes)));
        }
        return ROOMS.getLast().data().pointer().address();
    }

    /**
     * Returns a blank array, in row-major order.
     *
     * @param type of its numbers
     * @param shape of at least one
     */
    public static INDArray of(DataType type, long... shape) {
        long bytes = type.width();
        for (long size : shape) {
            bytes = Math.multiplyExact(bytes, size);
        }
        if (!Platform.isLinux() || !Nd4j.getEnvironment().isCPU()) {
            INDArray zeros = Nd4j.create(type, shape);
            return known(zeros, zeros.data().pointer().address(), () -> {});
        }
        long address = mapped(bytes);
        long length = bytes;
        return known(
                HostMemory.array(address, type, shape, Nd4j.getStrides(shape, 'c')),
                address,
                () -> LibC.unmap(address, length));
    }

    /** An array is blank as long as its buffer lives: another may lie at its address afterwards. */
    private static INDArray known(INDArray array, long address, Runnable free) {
        BLANK.add(address);
        CLEANER.register(array.data(), () -> {
            BLANK.remove(address);
            free.run();
        });
        return array;
    }

    private static long mapped(long bytes) {
        try {
            return LibC.reserve(bytes);
        } catch (IOException e) {
            throw new OutOfMemoryError("no " + bytes + " bytes of addresses are left: " + e.getMessage());
        }
    }

    /** Returns whether an array has no numbers. */
    public static boolean isOne(INDArray array) {
        return BLANK.contains(array.data().pointer().address());
    }
}
