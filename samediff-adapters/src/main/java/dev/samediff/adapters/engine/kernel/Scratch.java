package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.memory.NativeBlock;
import org.jspecify.annotations.Nullable;

/** Working memory, of all kernels made by one thread or of one alone; it grows to what the largest of them needs. */
final class Scratch implements Place {
    private static final ThreadLocal<Scratch> CURRENT = ThreadLocal.withInitial(Scratch::new);
    private static final int ALIGNMENT = 64;

    private @Nullable NativeBlock memory;
    private long size;
    private long address;

    Scratch() {}

    static Scratch ofThread() {
        return CURRENT.get();
    }

    static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Makes sure that this many bytes exist; their content may be lost. */
    synchronized void ensure(long bytes) {
        if (bytes <= size) {
            return;
        }
        if (memory != null) {
            memory.close();
        }
        memory = new NativeBlock(bytes);
        size = bytes;
        address = memory.address();
    }

    @Override
    public long address() {
        return address;
    }
}
