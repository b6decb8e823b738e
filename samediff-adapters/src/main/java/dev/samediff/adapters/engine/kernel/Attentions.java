package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Scaled dot-product attention and its gradient, tile by tile; probabilities are computed again on the way back. */
final class Attentions {
    private Attentions() {}

    /** Makes out = softmax(scale q k^T + mask) v. */
    static Kernel forward(Workspace workspace, String title, Attention a, TensorView out) {
        a.checkResult("attention", "out", out);
        Tensors.written("attention", "out", out);
        List<TensorView> operands = present(a.q, a.k, a.v, out, a.mask);
        return inParts(workspace, title, a, operands, assembly -> forwardTiles(assembly, a, out));
    }

    private static AttentionTiles forwardTiles(Assembly assembly, Attention a, TensorView out) {
        TilePlace q = TilePlace.ofQueries(a.q, a.sharing);
        TilePlace k = TilePlace.ofKeys(a.k);
        TilePlace v = TilePlace.ofKeys(a.v);
        TilePlace to = TilePlace.ofQueries(out, a.sharing);
        @Nullable TilePlace mask = a.mask == null ? null : TilePlace.ofQueries(a.mask, a.sharing);
        TensorView scores = assembly.temporary(DataType.FLOAT, a.chunk, a.tileRows, a.keys);
        return new AttentionTiles(assembly, a, present(q, k, v, to, mask), (steps, rows, keys, first) -> {
            TensorView p = scores.with(Layout.dense(a.chunk, rows, keys));
            addProbabilities(steps, a, q.view(a.chunk, rows), k, mask, p);
            product(steps, p, v.view(a.chunk, keys), to.view(a.chunk, rows), 1, false);
        });
    }

    /** Makes the gradients of q, k and v, where P are the probabilities: dv = P^T dOut, dS = P (dP - sum(P dP)). */
    static Kernel backward(
            Workspace workspace,
            String title,
            Attention a,
            TensorView dOut,
            TensorView dq,
            TensorView dk,
            TensorView dv) {
        String kind = "gradient of attention";
        a.checkResult(kind, "dOut", dOut);
        Tensors.floats(kind, dq, dk, dv);
        Tensors.shape(kind, "dq", dq, a.q.shape());
        Tensors.shape(kind, "dk", dk, a.k.shape());
        Tensors.shape(kind, "dv", dv, a.v.shape());
        Tensors.written(kind, "dq", dq);
        Tensors.written(kind, "dk", dk);
        Tensors.written(kind, "dv", dv);
        List<TensorView> operands = present(a.q, a.k, a.v, dOut, dq, dk, dv, a.mask);
        return inParts(workspace, title, a, operands, assembly -> backwardTiles(assembly, a, dOut, dq, dk, dv));
    }

    private static AttentionTiles backwardTiles(
            Assembly assembly, Attention a, TensorView dOut, TensorView dq, TensorView dk, TensorView dv) {
        TilePlace q = TilePlace.ofQueries(a.q, a.sharing);
        TilePlace k = TilePlace.ofKeys(a.k);
        TilePlace v = TilePlace.ofKeys(a.v);
        TilePlace upstream = TilePlace.ofQueries(dOut, a.sharing);
        TilePlace toQ = TilePlace.ofQueries(dq, a.sharing);
        TilePlace toK = TilePlace.ofKeys(dk);
        TilePlace toV = TilePlace.ofKeys(dv);
        @Nullable TilePlace mask = a.mask == null ? null : TilePlace.ofQueries(a.mask, a.sharing);
        TensorView scores = assembly.temporary(DataType.FLOAT, a.chunk, a.tileRows, a.keys);
        TensorView slopes = assembly.temporary(DataType.FLOAT, a.chunk, a.tileRows, a.keys);
        List<TilePlace> places = present(q, k, v, upstream, toQ, toK, toV, mask);
        return new AttentionTiles(assembly, a, places, (steps, rows, keys, first) -> {
            TensorView p = scores.with(Layout.dense(a.chunk, rows, keys));
            TensorView s = slopes.with(p.layout());
            TensorView queries = q.view(a.chunk, rows);
            TensorView dy = upstream.view(a.chunk, rows);
            addProbabilities(steps, a, queries, k, mask, p);
            product(steps, transposed(p), dy, toV.view(a.chunk, keys), 1, !first);
            product(steps, dy, transposed(v.view(a.chunk, keys)), s, 1, false);
            Softmaxes.backward(steps, p, s, s);
            product(steps, s, k.view(a.chunk, keys), toQ.view(a.chunk, rows), a.scale, false);
            product(steps, transposed(s), queries, toK.view(a.chunk, keys), a.scale, !first);
        });
    }

    @SafeVarargs
    private static <T> List<T> present(@Nullable T... all) {
        return Arrays.stream(all).filter(Objects::nonNull).toList();
    }

    /** Adds p = softmax(scale q k^T + mask) of a tile. */
    private static void addProbabilities(
            Assembly assembly,
            Attention a,
            TensorView queries,
            TilePlace keyAt,
            @Nullable TilePlace maskAt,
            TensorView p) {
        TensorView bias = maskAt == null ? null : maskTile(assembly, a, maskAt, p);
        TensorView keys = transposed(keyAt.view(a.chunk, p.layout().size(2)));
        Matmuls.add(assembly, new Matmuls.Product(queries, keys, null, bias, p, a.scale, false));
        Softmaxes.forward(assembly, algorithm.softmax_accurate, p, p);
    }

    /** The mask of a tile as a dense matrix per head, or one matrix for all heads. */
    private static TensorView maskTile(Assembly assembly, Attention a, TilePlace maskAt, TensorView p) {
        Layout whole = maskAt.view(a.chunk, p.layout().size(1)).layout();
        long heads = whole.stride(0) == 0 ? 1 : a.chunk;
        long[] shape = {heads, p.layout().size(1), p.layout().size(2)};
        return Copies.densified(assembly, new TensorView(DataType.FLOAT, new Layout(shape, whole.strides()), maskAt));
    }

    private static void product(
            Assembly assembly, TensorView a, TensorView b, TensorView dst, double alpha, boolean accumulate) {
        Matmuls.add(assembly, new Matmuls.Product(a, b, null, null, dst, alpha, accumulate));
    }

    private static TensorView transposed(TensorView x) {
        return x.with(x.layout().permuted(0, 2, 1));
    }

    /**
     * Makes a kernel in which every thread computes heads of its own. Threads inside of the products of a tile would cost more
     * than they save: tiles are that small.
     */
    private static Kernel inParts(
            Workspace workspace,
            String title,
            Attention a,
            List<TensorView> operands,
            Function<Assembly, AttentionTiles> maker) {
        AttentionTiles.Key key = new AttentionTiles.Key(
                title, a.scale, operands.stream().map(TensorView::layout).toList());
        int parts = OneDnn.threads();
        Kernel[] kernels = new Kernel[parts];
        for (int i = 0; i < parts; i++) {
            int thread = i;
            Scratch scratch = workspace.buffer(thread);
            AttentionTiles tiles = OneDnn.limited(
                    true, () -> scratch.tiles(key, () -> maker.apply(new Assembly(title, workspace, thread))));
            kernels[i] = new Part(scratch, tiles, operands, new AttentionTiles.Part(a.visible(), i, parts));
        }
        return parts == 1 ? kernels[0] : new Parts(new Team(parts), kernels);
    }

    /** A part of an attention, which has the tiles for itself while it runs. */
    private static final class Part extends JavaKernel {
        private final Scratch scratch;
        private final AttentionTiles tiles;
        private final List<Place> places;
        private final AttentionTiles.Part part;

        Part(Scratch scratch, AttentionTiles tiles, List<TensorView> operands, AttentionTiles.Part part) {
            super(tiles.describe(), operands.stream().map(TensorView::place).toArray(Place[]::new));
            this.scratch = scratch;
            this.tiles = tiles;
            this.places = operands.stream().map(TensorView::place).toList();
            this.part = part;
        }

        @Override
        void compute() {
            synchronized (scratch) {
                tiles.run(places, part);
            }
        }
    }

    /** Kernels that run at the same time. */
    private record Parts(Team team, Kernel[] kernels) implements Kernel {
        @Override
        public void run() {
            team.run(kernels.length, (piece, member) -> kernels[piece].run());
        }

        @Override
        public String describe() {
            return kernels.length + " x (" + kernels[0].describe() + ")";
        }
    }
}
