package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The sizes of an attention and its division into tiles: a few heads, a few rows of queries, and as many keys as the mask
 * lets these rows see. Scores exist for one tile at a time and stay in the cache.
 *
 * <p>Queries are [b,h,t,d], keys [b,k,s,d], values [b,k,s,e] with h a multiple of k: h / k heads of queries in a row share
 * a head of keys and values.
 */
final class Attention {
    /** Scores of one tile; two such tensors exist at a time in the backward pass. */
    private static final long TILE_BYTES = 256 << 10;

    private static final long ROWS = 64;
    private static final long KEY_STEP = 64;

    final Tensor q;
    final Tensor k;
    final Tensor v;
    final @Nullable Tensor mask;
    final double scale;
    final long batch;
    final long sharing;
    final long rows;
    final long keys;
    final long chunk;
    private final long tileRows;
    private final Mask visible;
    private final int part;
    private final int parts;

    /**
     * Takes the tensors.
     *
     * @param part which part of the heads of all batches is computed, from 0
     * @param parts how many parts there are
     */
    Attention(String title, Tensor q, Tensor k, Tensor v, @Nullable Tensor mask, double scale, int part, int parts) {
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
        long heads = k.layout().size(1);
        sharing = q.layout().size(1) / heads;
        rows = q.layout().size(2);
        keys = k.layout().size(2);
        Tensors.shape(title, "k", k, batch, heads, keys, q.layout().size(3));
        Tensors.shape(title, "v", v, batch, heads, keys, v.layout().size(3));
        this.mask = mask == null ? null : mask.with(maskLayout(title, mask));
        visible = new Mask(this.mask, keys, KEY_STEP);
        tileRows = rows <= ROWS + ROWS / 2 ? rows : ROWS;
        chunk = chunk(heads, TILE_BYTES / (4 * tileRows * keys));
        this.part = part;
        this.parts = parts;
    }

    /** Returns the largest number of rows of a tile. */
    long tileRows() {
        return tileRows;
    }

    private Layout maskLayout(String title, Tensor mask) {
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

    /** Where the tiles of one pass over a tensor [b,heads,n,width] are. */
    TilePlace cursor(Tensor tensor, long headsPerIndex) {
        return new TilePlace(tensor, headsPerIndex);
    }

    /** A place that follows batch, head and row. */
    static final class TilePlace implements Place {
        final Tensor tensor;
        private final long headsPerIndex;
        private final int bytes;
        private long offset;

        private TilePlace(Tensor tensor, long headsPerIndex) {
            this.tensor = tensor;
            this.headsPerIndex = headsPerIndex;
            this.bytes = Tensors.bytes(tensor.type());
        }

        void move(long b, long head, long row) {
            Layout l = tensor.layout();
            offset = bytes * (b * l.stride(0) + head * l.stride(1) + row * l.stride(2));
        }

        @Override
        public long address() {
            long address = tensor.place().address();
            return address == 0 ? 0 : address + offset;
        }

        /** The view [heads,rows,width] at this place. */
        Tensor view(long heads, long rows) {
            Layout l = tensor.layout();
            return new Tensor(
                    tensor.type(),
                    new Layout(
                            new long[] {heads, rows, l.size(3)},
                            new long[] {l.stride(1) * headsPerIndex, l.stride(2), l.stride(3)}),
                    this);
        }
    }

    /** What one tile does, made for a number of rows and keys. */
    interface TileMaker {
        /**
         * Adds the steps of a tile.
         *
         * @param first whether no tile before it wrote to these keys; it then sees all keys
         */
        void add(Assembly assembly, long tileRows, long tileKeys, boolean first);
    }

    /** Runs tiles over all rows of this part's heads; the last rows first, because they see the most keys. */
    Kernel tiles(Assembly assembly, TileMaker maker, List<TilePlace> perQuery, List<TilePlace> perKey) {
        long rest = rows % tileRows;
        Tiles whole = new Tiles(assembly, maker, tileRows);
        Tiles remainder = rest == 0 ? whole : new Tiles(assembly, maker, rest);
        List<Place> places = new ArrayList<>();
        perQuery.forEach(c -> places.add(c.tensor.place()));
        perKey.forEach(c -> places.add(c.tensor.place()));
        long heads = k.layout().size(1);
        return new JavaKernel(whole.description(), places.toArray(Place[]::new)) {
            @Override
            void compute() {
                long perBatch = heads / chunk;
                long all = batch * perBatch;
                for (long i = all * part / parts; i < all * (part + 1) / parts; i++) {
                    long b = i / perBatch;
                    long head = i % perBatch * chunk;
                    for (TilePlace cursor : perKey) {
                        cursor.move(b, head, 0);
                    }
                    for (long share = 0; share < sharing; share++) {
                        rows(b, head, share);
                    }
                }
            }

            private void rows(long b, long head, long share) {
                long last = (rows - 1) / tileRows * tileRows;
                for (long row = last; row >= 0; row -= tileRows) {
                    long count = Math.min(tileRows, rows - row);
                    long firstHead = head * sharing + share;
                    for (TilePlace cursor : perQuery) {
                        cursor.move(b, firstHead, row);
                    }
                    boolean first = share == 0 && row == last;
                    long seen = visible.keys(b, firstHead, (chunk - 1) * sharing + 1, row, count);
                    (count == tileRows ? whole : remainder).run(first ? keys : seen, first);
                }
            }
        };
    }

    /** The tiles of one number of rows, by number of keys. */
    private final class Tiles {
        private final Kernel first;
        private final Kernel[] later;

        Tiles(Assembly assembly, TileMaker maker, long count) {
            LongFunction<Kernel> make = n -> {
                int mark = assembly.mark();
                maker.add(assembly, count, Math.min(keys, n * KEY_STEP), false);
                return assembly.since(mark);
            };
            int mark = assembly.mark();
            maker.add(assembly, count, keys, true);
            first = assembly.since(mark);
            later = new Kernel[(int) ((keys + KEY_STEP - 1) / KEY_STEP)];
            for (int i = 0; i < later.length; i++) {
                later[i] = make.apply(i + 1);
            }
        }

        void run(long seen, boolean isFirst) {
            (isFirst ? first : later[(int) ((seen - 1) / KEY_STEP)]).run();
        }

        String description() {
            return first.describe();
        }
    }

    /** Adds scores = softmax(scale q k^T + mask) of a tile. */
    void addProbabilities(
            Assembly assembly, Tensor queries, TilePlace keyAt, @Nullable TilePlace maskAt, Tensor scores) {
        long count = queries.layout().size(1);
        long seen = scores.layout().size(2);
        Tensor transposed = keyAt.view(chunk, seen);
        transposed = transposed.with(transposed.layout().permuted(0, 2, 1));
        Tensor bias = maskAt == null ? null : maskTile(assembly, maskAt, count, seen);
        Matmuls.add(assembly, new Matmuls.Product(queries, transposed, null, bias, scores, scale, false));
        Softmaxes.forward(assembly, algorithm.softmax_accurate, scores, scores);
    }

    /** The mask of a tile as a dense matrix per head, or one matrix for all heads. */
    private Tensor maskTile(Assembly assembly, TilePlace maskAt, long count, long seen) {
        Layout whole = maskAt.view(chunk, count).layout();
        long heads = whole.stride(0) == 0 ? 1 : chunk;
        Layout tile = new Layout(new long[] {heads, count, seen}, whole.strides());
        return Copies.densified(assembly, new Tensor(DataType.FLOAT, tile, maskAt));
    }
}
