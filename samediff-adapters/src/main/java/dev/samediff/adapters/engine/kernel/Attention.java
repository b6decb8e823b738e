package dev.samediff.adapters.engine.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The operands of an attention, checked, and its division into tiles: a few heads, a few rows of queries, and as many keys as
 * the mask lets these rows see. Scores exist for one tile at a time and stay in the cache.
 *
 * <p>Queries are [b,h,t,d], keys [b,k,s,d], values [b,k,s,e] with h a multiple of k: h / k heads of queries in a row share
 * a head of keys and values.
 */
final class Attention {
    /** Numbers of keys that tiles are made for are multiples of it. */
    static final long KEY_STEP = 64;

    /** Scores of one tile; two such tensors exist at a time in the backward pass. */
    private static final long TILE_BYTES = 256 << 10;

    private static final long ROWS = 64;

    final TensorView q;
    final TensorView k;
    final TensorView v;
    final @Nullable TensorView mask;
    final double scale;
    final long batch;
    final long heads;
    final long sharing;
    final long rows;
    final long keys;
    final long chunk;
    /** The largest number of rows of a tile. */
    final long tileRows;

    Attention(String title, TensorView q, TensorView k, TensorView v, @Nullable TensorView mask, double scale) {
        Tensors.floats(title, q, k, v);
        boolean ranks = q.rank() == 4 && k.rank() == 4 && v.rank() == 4;
        if (!ranks || q.layout().size(1) % k.layout().size(1) != 0) {
            throw new IllegalArgumentException(title + ": q " + q + ", k " + k + " and v " + v
                    + " do not fit; expected [b,h,t,d], [b,k,s,d], [b,k,s,e] with h a multiple of k");
        }
        this.q = q;
        this.k = k;
        this.v = v;
        this.scale = scale;
        batch = q.layout().size(0);
        heads = k.layout().size(1);
        sharing = q.layout().size(1) / heads;
        rows = q.layout().size(2);
        keys = k.layout().size(2);
        Tensors.shape(title, "k", k, batch, heads, keys, q.layout().size(3));
        Tensors.shape(title, "v", v, batch, heads, keys, v.layout().size(3));
        this.mask = mask == null ? null : mask.with(maskLayout(title, mask));
        tileRows = rows <= ROWS + ROWS / 2 ? rows : ROWS;
        chunk = chunk(heads, TILE_BYTES / (4 * tileRows * keys));
    }

    /** Returns how many keys the mask lets rows see. */
    Mask visible() {
        return new Mask(mask, keys, KEY_STEP);
    }

    /** Checks the result, or its gradient. */
    void checkResult(String title, String name, TensorView tensor) {
        Tensors.floats(title, tensor);
        Tensors.shape(
                title, name, tensor, batch, heads * sharing, rows, v.layout().size(3));
    }

    private Layout maskLayout(String title, TensorView mask) {
        Tensors.floats(title, mask);
        long[] full = {batch, q.layout().size(1), rows, keys};
        boolean fits = mask.rank() <= 4;
        Layout padded = fits ? mask.layout().padded(4) : mask.layout();
        for (int i = 0; fits && i < 4; i++) {
            fits = padded.size(i) == full[i] || padded.size(i) == 1;
        }
        if (!fits) {
            throw new IllegalArgumentException(title + ": the mask " + mask
                    + " cannot be repeated to the shape of the scores " + Arrays.toString(full));
        }
        return padded.expanded(full);
    }

    private static long chunk(long heads, long wanted) {
        long chunk = Math.min(heads, Math.max(1, wanted));
        while (heads % chunk != 0) {
            chunk--;
        }
        return chunk;
    }
}
