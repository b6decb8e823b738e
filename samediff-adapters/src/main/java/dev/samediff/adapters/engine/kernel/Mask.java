package dev.samediff.adapters.engine.kernel;

import org.jspecify.annotations.Nullable;

/**
 * How many keys rows of queries see, read from an additive mask [b,h,t,s] when it runs: everything behind the last number
 * that is not hugely negative has probability 0 exactly, as long as its row sees anything.
 */
final class Mask {
    /** A score so much lower than another one of its row has the probability 0 in float. */
    private static final float HIDDEN = -1e8f;

    private static final float VISIBLE = -1e6f;

    private final @Nullable TensorView mask;
    private final long keys;
    private final long step;

    /**
     * Takes a mask.
     *
     * @param mask expanded to [b,h,t,s]
     * @param step numbers of keys are rounded up to a multiple of it
     */
    Mask(@Nullable TensorView mask, long keys, long step) {
        this.mask = mask;
        this.keys = keys;
        this.step = step;
    }

    /** Returns how many keys a tile sees, at least one step. */
    long keys(long b, long head, long heads, long row, long rows) {
        if (mask == null || keys <= step || mask.layout().stride(3) == 0) {
            return keys;
        }
        Layout l = mask.layout();
        long headCount = l.stride(1) == 0 ? 1 : heads;
        long rowCount = l.stride(2) == 0 ? 1 : rows;
        long seen = step;
        for (long h = 0; h < headCount; h++) {
            for (long r = rowCount - 1; r >= 0 && seen < keys; r--) {
                long at = b * l.stride(0) + (head + h) * l.stride(1) + (row + r) * l.stride(2);
                seen = Math.max(seen, seen(mask.place().address() + 4 * at, 4 * l.stride(3), seen));
            }
        }
        return Math.min(keys, (seen + step - 1) / step * step);
    }

    /** Returns how many keys one row sees if they are more than are known to be seen. */
    private long seen(long address, long stride, long known) {
        long last = keys;
        while (last > known && Memory.getFloat(address + (last - 1) * stride) <= HIDDEN) {
            last--;
        }
        for (long i = 0; i < last; i++) {
            if (Memory.getFloat(address + i * stride) >= VISIBLE) {
                return last;
            }
        }
        return keys;
    }
}
