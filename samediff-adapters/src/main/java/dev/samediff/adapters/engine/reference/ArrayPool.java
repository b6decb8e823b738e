package dev.samediff.adapters.engine.reference;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory of intermediate results, used again within a run and from run to run. Touching fresh pages costs about as much
 * as an elementwise op over them, so blocks are kept until they were idle for a few runs.
 *
 * <p>SameDiff's own {@code ArrayCacheMemoryMgr} tells values apart by their content and corrupts some graphs; here the
 * owner counts references.
 */
final class ArrayPool implements AutoCloseable {
    private static final int IDLE_RUNS = 8;

    private final Map<Key, Deque<Storage>> free = new HashMap<>();
    private final boolean poison;
    private long run;

    /**
     * Creates an empty pool.
     *
     * @param poison fill every block with NaN before use, so that tests notice an op that does not write all its output
     */
    ArrayPool(boolean poison) {
        this.poison = poison;
    }

    /** Returns a block with one reference; its content is arbitrary unless {@code zeroed}. */
    Storage take(DataType type, long[] shape, boolean zeroed) {
        Deque<Storage> candidates = free.get(Key.of(type, shape));
        Storage storage = candidates == null ? null : candidates.pollLast();
        if (storage == null) {
            storage = new Storage(Nd4j.createUninitializedDetached(type, shape));
        }
        if (zeroed) {
            storage.base.assign(0);
        } else if (poison && type.isFPType()) {
            storage.base.assign(Double.NaN);
        }
        storage.references = 1;
        return storage;
    }

    /** Gives up one reference. */
    void release(Storage storage) {
        if (--storage.references == 0) {
            storage.lastRun = run;
            free.computeIfAbsent(Key.of(storage.base.dataType(), storage.base.shape()), k -> new ArrayDeque<>())
                    .addLast(storage);
        }
    }

    /** Ends a run: blocks that no run of late has used are given back to the system. */
    void endRun() {
        run++;
        Iterator<Deque<Storage>> queues = free.values().iterator();
        while (queues.hasNext()) {
            Deque<Storage> queue = queues.next();
            while (!queue.isEmpty() && queue.peekFirst().lastRun < run - IDLE_RUNS) {
                close(queue.removeFirst());
            }
            if (queue.isEmpty()) {
                queues.remove();
            }
        }
    }

    @Override
    public void close() {
        free.values().forEach(queue -> queue.forEach(ArrayPool::close));
        free.clear();
    }

    private static void close(Storage storage) {
        INDArray base = storage.base;
        if (base.closeable()) {
            base.close();
        }
    }

    /** Scalars have a shape of their own; everything else may change its shape. */
    private record Key(DataType type, long length) {
        static Key of(DataType type, long[] shape) {
            long length = 1;
            for (long size : shape) {
                length *= size;
            }
            return new Key(type, shape.length == 0 ? -1 : length);
        }
    }
}
