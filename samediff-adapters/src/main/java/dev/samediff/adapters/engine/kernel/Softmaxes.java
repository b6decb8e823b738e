package dev.samediff.adapters.engine.kernel;

import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.softmax_backward;
import org.bytedeco.dnnl.softmax_forward;

/** Softmax and its logarithm along the last axis. */
final class Softmaxes {
    private Softmaxes() {}

    /** Adds y = softmax(x) or log softmax(x) of every row. */
    static void forward(Assembly assembly, algorithm form, TensorView x, TensorView y) {
        Tensors.floats("softmax", x, y);
        Tensors.shape("softmax", "x", x, y.shape());
        Tensors.written("softmax", "y", y);
        TensorView work = y.isDense() ? y : assembly.temporary(y.type(), y.shape());
        TensorView from = x;
        if (!x.isDense()) {
            Copies.add(assembly, x, work);
            from = work;
        }
        Primitive.of(assembly, forward(form, Dnnl.desc(rows(work))))
                .with(dnnl.DNNL_ARG_SRC, rows(from))
                .with(dnnl.DNNL_ARG_DST, rows(work))
                .add();
        if (work != y) {
            Copies.add(assembly, work, y);
        }
    }

    private static softmax_forward.primitive_desc forward(algorithm form, memory.desc desc) {
        return new softmax_forward.primitive_desc(
                Dnnl.ENGINE, prop_kind.forward_training, form, desc, desc, 1, Dnnl.attributes(), false);
    }

    /** Adds dx = y (dy - sum(dy y)) of every row. */
    static void backward(Assembly assembly, TensorView y, TensorView dy, TensorView dx) {
        String title = "gradient of softmax";
        Tensors.floats(title, y, dy, dx);
        Tensors.shape(title, "y", y, dx.shape());
        Tensors.shape(title, "dy", dy, dx.shape());
        Tensors.written(title, "dx", dx);
        TensorView result = rows(Copies.densified(assembly, y));
        TensorView upstream = rows(Copies.densified(assembly, dy));
        TensorView work = dx.isDense() ? dx : assembly.temporary(dx.type(), dx.shape());
        memory.desc desc = Dnnl.desc(result);
        algorithm form = algorithm.softmax_accurate;
        var description = new softmax_backward.primitive_desc(
                Dnnl.ENGINE, form, desc, desc, desc, 1, forward(form, desc), Dnnl.attributes(), false);
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_DST, result)
                .with(dnnl.DNNL_ARG_DIFF_DST, upstream)
                .with(dnnl.DNNL_ARG_DIFF_SRC, rows(work))
                .add();
        if (work != dx) {
            Copies.add(assembly, work, dx);
        }
    }

    /** Returns a dense tensor as [rows, length of the last axis]. */
    static TensorView rows(TensorView dense) {
        Layout layout = dense.layout();
        long last = layout.rank() == 0 ? 1 : layout.size(layout.rank() - 1);
        return dense.with(Layout.dense(layout.length() / last, last));
    }
}
