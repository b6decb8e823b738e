package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The steps of all tiles of attentions of one geometry, on one thread: for every number of keys that rows may see. Their
 * operands are places that are bound to those of an attention when it runs, so that all layers of a plan share them. Steps of
 * different numbers of keys use the same working memory, as one of them runs at a time.
 */
final class AttentionTiles {
    /**
     * What attentions have in common that share tiles.
     *
     * @param title the computation
     * @param layouts of all operands, in the order of their places
     */
    record Key(String title, double scale, List<Layout> layouts) {}

    /** Adds the steps of a tile. */
    interface Maker {
        /**
         * Adds them.
         *
         * @param first whether no tile before it wrote to these keys; it then sees all keys
         */
        void add(Assembly assembly, long tileRows, long tileKeys, boolean first);
    }

    /**
     * What is computed of an attention.
     *
     * @param visible which keys its mask lets rows see
     * @param index which of equal parts of the heads of all batches, from 0
     * @param count how many parts there are
     */
    record Part(Mask visible, int index, int count) {}

    private final Attention a;
    private final List<TilePlace> places;
    private final Variants whole;
    private final Variants rest;
    private final Kernel all;
    private @Nullable Part part;

    /**
     * Makes the steps.
     *
     * @param a an attention of this geometry; its own places are not used
     * @param places the places the steps work at, in the order of the operands of a run
     */
    AttentionTiles(Assembly assembly, Attention a, List<TilePlace> places, Maker maker) {
        this.a = a;
        this.places = List.copyOf(places);
        long remainder = a.rows % a.tileRows;
        whole = new Variants(assembly, maker, a.tileRows);
        rest = remainder == 0 ? whole : new Variants(assembly, maker, remainder);
        assembly.add(new JavaKernel(whole.first.describe()) {
            @Override
            void compute() {
                heads(Objects.requireNonNull(part));
            }
        });
        all = assembly.build();
    }

    /** Computes a part of the attention of these operands; nobody else may use the working memory meanwhile. */
    void run(List<Place> operands, Part newPart) {
        part = newPart;
        for (int i = 0; i < places.size(); i++) {
            places.get(i).bind(operands.get(i));
        }
        all.run();
    }

    String describe() {
        return all.describe();
    }

    private void heads(Part p) {
        long perBatch = a.heads / a.chunk;
        long count = a.batch * perBatch;
        for (long i = count * p.index / p.count; i < count * (p.index + 1) / p.count; i++) {
            long b = i / perBatch;
            long head = i % perBatch * a.chunk;
            move(false, b, head, 0);
            for (long share = 0; share < a.sharing; share++) {
                rows(p.visible, b, head, share);
            }
        }
    }

    /** The last rows first, because they see the most keys. */
    private void rows(Mask visible, long b, long head, long share) {
        long last = (a.rows - 1) / a.tileRows * a.tileRows;
        for (long row = last; row >= 0; row -= a.tileRows) {
            long count = Math.min(a.tileRows, a.rows - row);
            long firstHead = head * a.sharing + share;
            move(true, b, firstHead, row);
            boolean first = share == 0 && row == last;
            long seen = visible.keys(b, firstHead, (a.chunk - 1) * a.sharing + 1, row, count);
            (count == a.tileRows ? whole : rest).run(first ? a.keys : seen, first);
        }
    }

    private void move(boolean rows, long b, long head, long row) {
        for (TilePlace place : places) {
            if (place.followsRows() == rows) {
                place.move(b, head, row);
            }
        }
    }

    /** The steps for one number of rows, by number of keys. */
    private final class Variants {
        private final Kernel first;
        private final Kernel[] later;

        Variants(Assembly assembly, Maker maker, long count) {
            first = make(assembly, maker, count, a.keys, true);
            later = new Kernel[(int) ((a.keys + Attention.KEY_STEP - 1) / Attention.KEY_STEP)];
            for (int i = 0; i < later.length; i++) {
                later[i] = make(assembly, maker, count, Math.min(a.keys, (i + 1) * Attention.KEY_STEP), false);
            }
        }

        private static Kernel make(Assembly assembly, Maker maker, long rows, long keys, boolean first) {
            int mark = assembly.mark();
            long reserved = assembly.reserved();
            maker.add(assembly, rows, keys, first);
            assembly.release(reserved);
            return assembly.since(mark);
        }

        void run(long seen, boolean isFirst) {
            (isFirst ? first : later[(int) ((seen - 1) / Attention.KEY_STEP)]).run();
        }
    }
}
