package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.kernel.Attention.TilePlace;
import dev.samediff.adapters.engine.plan.Kernel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Scaled dot-product attention and its gradient, tile by tile; probabilities are computed again on the way back. */
final class Attentions {
    private Attentions() {}

    /** Makes one part of an attention or of its gradient. */
    interface Maker {
        void add(Assembly assembly, int part, int parts);
    }

    /**
     * Makes a kernel in which every thread computes heads of its own. Threads inside of the products of a tile would cost more
     * than they save: tiles are that small.
     */
    static Kernel inParts(String title, Maker maker) {
        int parts = OneDnn.threads();
        Kernel[] kernels = new Kernel[parts];
        for (int i = 0; i < parts; i++) {
            int part = i;
            kernels[i] = OneDnn.limited(true, () -> {
                Assembly assembly = parts == 1 ? new Assembly(title) : new Assembly(title, new Scratch());
                maker.add(assembly, part, parts);
                return assembly.build();
            });
        }
        return parts == 1 ? kernels[0] : new Parts(new Team(parts), kernels);
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

    /** Adds out = softmax(scale q k^T + mask) v. */
    static void forward(Assembly assembly, Attention a, Tensor out) {
        Tensors.floats("attention", out);
        Tensors.shape(
                "attention",
                "out",
                out,
                a.batch,
                a.q.layout().size(1),
                a.rows,
                a.v.layout().size(3));
        Tensors.written("attention", "out", out);
        TilePlace q = a.cursor(a.q, a.sharing);
        TilePlace k = a.cursor(a.k, 1);
        TilePlace v = a.cursor(a.v, 1);
        TilePlace to = a.cursor(out, a.sharing);
        @Nullable TilePlace mask = a.mask == null ? null : a.cursor(a.mask, a.sharing);
        Tensor scores = assembly.temporary(DataType.FLOAT, a.chunk, a.tileRows(), a.keys);
        assembly.add(a.tiles(
                assembly,
                (steps, rows, keys, first) -> {
                    Tensor p = scores.with(Layout.dense(a.chunk, rows, keys));
                    a.addProbabilities(steps, q.view(a.chunk, rows), k, mask, p);
                    product(steps, p, v.view(a.chunk, keys), to.view(a.chunk, rows), 1, false);
                },
                queries(mask, q, to),
                List.of(k, v)));
    }

    private static List<TilePlace> queries(@Nullable TilePlace mask, TilePlace... others) {
        List<TilePlace> all = new ArrayList<>(List.of(others));
        if (mask != null) {
            all.add(mask);
        }
        return all;
    }

    private static void product(Assembly assembly, Tensor a, Tensor b, Tensor dst, double alpha, boolean accumulate) {
        Matmuls.add(assembly, new Matmuls.Product(a, b, null, null, dst, alpha, accumulate));
    }

    private static Tensor transposed(Tensor x) {
        return x.with(x.layout().permuted(0, 2, 1));
    }

    /** Adds the gradients of q, k and v, where P are the probabilities: dv = P^T dOut, dS = P (dP - sum(P dP)). */
    static void backward(Assembly assembly, Attention a, Tensor dOut, Tensor dq, Tensor dk, Tensor dv) {
        String title = "gradient of attention";
        Tensors.floats(title, dOut, dq, dk, dv);
        Tensors.shape(
                title,
                "dOut",
                dOut,
                a.batch,
                a.q.layout().size(1),
                a.rows,
                a.v.layout().size(3));
        Tensors.shape(title, "dq", dq, a.q.shape());
        Tensors.shape(title, "dk", dk, a.k.shape());
        Tensors.shape(title, "dv", dv, a.v.shape());
        Tensors.written(title, "dq", dq);
        Tensors.written(title, "dk", dk);
        Tensors.written(title, "dv", dv);
        TilePlace q = a.cursor(a.q, a.sharing);
        TilePlace k = a.cursor(a.k, 1);
        TilePlace v = a.cursor(a.v, 1);
        TilePlace upstream = a.cursor(dOut, a.sharing);
        TilePlace toQ = a.cursor(dq, a.sharing);
        TilePlace toK = a.cursor(dk, 1);
        TilePlace toV = a.cursor(dv, 1);
        @Nullable TilePlace mask = a.mask == null ? null : a.cursor(a.mask, a.sharing);
        Tensor scores = assembly.temporary(DataType.FLOAT, a.chunk, a.tileRows(), a.keys);
        Tensor slopes = assembly.temporary(DataType.FLOAT, a.chunk, a.tileRows(), a.keys);
        assembly.add(a.tiles(
                assembly,
                (steps, rows, keys, first) -> {
                    Tensor p = scores.with(Layout.dense(a.chunk, rows, keys));
                    Tensor s = slopes.with(p.layout());
                    Tensor queries = q.view(a.chunk, rows);
                    Tensor dy = upstream.view(a.chunk, rows);
                    a.addProbabilities(steps, queries, k, mask, p);
                    product(steps, transposed(p), dy, toV.view(a.chunk, keys), 1, !first);
                    product(steps, dy, transposed(v.view(a.chunk, keys)), s, 1, false);
                    Softmaxes.backward(steps, p, s, s);
                    product(steps, s, k.view(a.chunk, keys), toQ.view(a.chunk, rows), a.scale, false);
                    product(steps, transposed(s), queries, toK.view(a.chunk, keys), a.scale, !first);
                },
                queries(mask, q, upstream, toQ),
                List.of(k, v, toK, toV)));
    }
}
