package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.memory.NativeBlock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The working memory of kernels of which one runs at a time, such as those of a plan: one buffer for each thread that
 * computes on its own, as large as the largest need, and the constants that kernels read. Kernels that divide their work
 * among threads themselves give part i the buffer i; all others use buffer 0.
 *
 * <p>Kernels keep what they use of it from being collected, so one that nobody closes is freed with them. Running two of its
 * kernels at the same time is safe and makes one wait.
 */
public final class Workspace implements AutoCloseable {
    private final List<Scratch> buffers = new ArrayList<>();
    private final Map<Value, Constant> constants = new HashMap<>();

    /** Makes one without memory; making kernels gives it what they need. */
    public Workspace() {}

    private record Value(DataType type, double value, long length) {}

    /** Returns the buffer of one of the threads that compute at the same time, from 0. */
    synchronized Scratch buffer(int thread) {
        while (buffers.size() <= thread) {
            buffers.add(new Scratch());
        }
        return buffers.get(thread);
    }

    /** Returns a dense tensor filled with one value, which must not be written to. */
    synchronized TensorView constant(DataType type, double value, long... shape) {
        Layout layout = Layout.dense(shape);
        Value key = new Value(type, value, layout.length());
        return new TensorView(type, layout, constants.computeIfAbsent(key, k -> new Constant(type, value, k.length())));
    }

    /** Returns the memory of all buffers and constants, in bytes. */
    public synchronized long bytes() {
        return buffers.stream().mapToLong(Scratch::bytes).sum()
                + constants.values().stream().mapToLong(Constant::bytes).sum();
    }

    /** Gives the memory back; no kernel that uses it may run any more. */
    @Override
    public synchronized void close() {
        buffers.forEach(Scratch::free);
        constants.values().forEach(Constant::free);
        constants.clear();
    }

    /** Numbers that never change. */
    private static final class Constant implements Place {
        private final NativeBlock memory;
        private boolean freed;

        Constant(DataType type, double value, long length) {
            memory = new NativeBlock(length * Tensors.bytes(type));
            Memory.fill(memory.address(), type, length, value);
        }

        long bytes() {
            return memory.bytes();
        }

        void free() {
            freed = true;
            memory.close();
        }

        @Override
        public long address() {
            return freed ? 0 : memory.address();
        }
    }
}
