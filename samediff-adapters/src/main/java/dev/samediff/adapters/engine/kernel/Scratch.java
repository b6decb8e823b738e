package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.memory.NativeBlock;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One buffer of a {@link Workspace}: what one thread needs while it computes one kernel. It grows to what the largest kernel
 * needs; a kernel that uses it holds its lock.
 */
final class Scratch implements Place {
    private static final int ALIGNMENT = 64;

    private final Map<AttentionTiles.Key, AttentionTiles> tiles = new HashMap<>();
    private @Nullable NativeBlock memory;

    static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Makes sure that this many bytes exist; their content may be lost. */
    synchronized void ensure(long bytes) {
        if (bytes > bytes()) {
            free(); // the smaller one first, so that both do not exist at a time
            memory = new NativeBlock(bytes);
        }
    }

    /** Returns how many bytes exist. */
    synchronized long bytes() {
        return memory == null ? 0 : memory.bytes();
    }

    /** Returns the tiles of attentions of one geometry that compute in this buffer; they are made at the first call. */
    synchronized AttentionTiles tiles(AttentionTiles.Key key, Supplier<AttentionTiles> maker) {
        AttentionTiles known = tiles.get(key);
        if (known == null) {
            known = maker.get();
            tiles.put(key, known);
        }
        return known;
    }

    /** Gives the memory back; kernels that use it find that it has no address. */
    synchronized void free() {
        if (memory != null) {
            memory.close();
            memory = null;
        }
    }

    @Override
    public long address() {
        return memory == null ? 0 : memory.address();
    }
}
