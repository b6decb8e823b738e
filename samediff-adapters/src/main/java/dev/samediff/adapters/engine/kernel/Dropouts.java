package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.graph.Dropout;
import org.nd4j.linalg.api.buffer.DataType;

/** Elements dropped, and the others made larger, by masks that are computed as they are needed. */
final class Dropouts {
    /** Elements that one thread takes at a time. */
    private static final int PIECE = 1 << 14;

    private Dropouts() {}

    /**
     * Adds y = x mask.
     *
     * @param site see {@link Dropout#site}
     * @param draw LONG [2]
     * @param y may be x, in place
     */
    static void add(Assembly assembly, long site, TensorView x, TensorView draw, TensorView y) {
        String title = "dropout";
        Tensors.floats(title, x, y);
        Tensors.type(title, "draw", draw, DataType.LONG);
        Tensors.length(title, "draw", draw, 2);
        long length = y.layout().length();
        Tensors.length(title, "x", x, length);
        Tensors.length(title, "y", y, length);
        int pieces = Math.toIntExact((length + PIECE - 1) / PIECE);
        Team team = new Team(OneDnn.threads());
        assembly.add(new JavaKernel("java", x.place(), draw.place(), y.place()) {
            @Override
            void compute() {
                long from = x.place().address();
                long to = y.place().address();
                long key = Memory.getLong(draw.place().address());
                long kept = Memory.getLong(draw.place().address() + 8);
                team.run(pieces, (piece, member) -> {
                    long end = Math.min(length, (piece + 1L) * PIECE);
                    piece(key, site, kept, from, to, (long) piece * PIECE, end);
                });
            }
        });
    }

    private static void piece(long key, long site, long kept, long from, long to, long begin, long end) {
        float factor = Dropout.factor(kept);
        for (long i = begin; i < end; i++) {
            float value = Memory.getFloat(from + 4 * i) * factor;
            Memory.putFloat(to + 4 * i, Dropout.keeps(key, site, kept, i) ? value : 0);
        }
    }
}
