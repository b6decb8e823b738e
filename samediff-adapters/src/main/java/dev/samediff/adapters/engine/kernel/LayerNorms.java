package dev.samediff.adapters.engine.kernel;

import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.normalization_flags;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.layer_normalization_backward;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.jspecify.annotations.Nullable;

/** Layer normalisation along the last axis. */
final class LayerNorms {
    private LayerNorms() {}

    /** The operands of the forward pass. */
    record Forward(
            double epsilon,
            TensorView x,
            @Nullable TensorView scale,
            @Nullable TensorView shift,
            TensorView y,
            TensorView mean,
            TensorView variance) {}

    /** The operands of the backward pass. */
    record Backward(
            double epsilon,
            TensorView dy,
            TensorView x,
            TensorView mean,
            TensorView variance,
            @Nullable TensorView scale,
            TensorView dx,
            @Nullable TensorView dScale,
            @Nullable TensorView dShift) {}

    /** Adds y = (x - mean) / sqrt(variance + epsilon) scale + shift. */
    static void forward(Assembly assembly, Forward f) {
        Tensors.floats("layer norm", f.x, f.y, f.mean, f.variance);
        Tensors.shape("layer norm", "x", f.x, f.y.shape());
        Tensors.written("layer norm", "y", f.y);
        TensorView x = Softmaxes.rows(Copies.densified(assembly, f.x));
        statistics("layer norm", x, f.mean, f.variance);
        TensorView work = f.y.isDense() ? f.y : assembly.temporary(f.y.type(), f.y.shape());
        Layout rows = Layout.dense(x.layout().size(0));
        int flags = flag(f.scale, normalization_flags.use_scale) | flag(f.shift, normalization_flags.use_shift);
        var primitive = Primitive.of(assembly, forward(x, rows, f.epsilon, flags))
                .with(dnnl.DNNL_ARG_SRC, x)
                .with(dnnl.DNNL_ARG_DST, Softmaxes.rows(work))
                .with(dnnl.DNNL_ARG_MEAN, f.mean.with(rows))
                .with(dnnl.DNNL_ARG_VARIANCE, f.variance.with(rows));
        vector(primitive, "scale", dnnl.DNNL_ARG_SCALE, f.scale, x);
        vector(primitive, "shift", dnnl.DNNL_ARG_SHIFT, f.shift, x);
        primitive.add();
        if (work != f.y) {
            Copies.add(assembly, work, f.y);
        }
    }

    private static layer_normalization_forward.primitive_desc forward(
            TensorView x, Layout rows, double epsilon, int flags) {
        memory.desc desc = Dnnl.desc(x);
        return new layer_normalization_forward.primitive_desc(
                Dnnl.ENGINE,
                prop_kind.forward_training.value,
                desc,
                desc,
                Dnnl.desc(x.type(), rows),
                (float) epsilon,
                flags,
                Dnnl.attributes(),
                false);
    }

    /** Adds dx, and the gradients of scale and shift as far as they are wanted. */
    static void backward(Assembly assembly, Backward b) {
        String title = "gradient of layer norm";
        Tensors.floats(title, b.dy, b.x, b.mean, b.variance, b.dx);
        Tensors.shape(title, "dy", b.dy, b.x.shape());
        Tensors.shape(title, "dx", b.dx, b.x.shape());
        Tensors.written(title, "dx", b.dx);
        if (b.dScale != null && b.scale == null) {
            throw new IllegalArgumentException(title + ": `dScale` is wanted but there is no `scale`");
        }
        TensorView x = Softmaxes.rows(Copies.densified(assembly, b.x));
        TensorView dy = Softmaxes.rows(Copies.densified(assembly, b.dy));
        statistics(title, x, b.mean, b.variance);
        TensorView work = b.dx.isDense() ? b.dx : assembly.temporary(b.dx.type(), b.dx.shape());
        Layout rows = Layout.dense(x.layout().size(0));
        boolean weights = b.scale != null || b.dShift != null;
        int flags = flag(b.scale, normalization_flags.use_scale) | flag(b.dShift, normalization_flags.use_shift);
        memory.desc desc = Dnnl.desc(x);
        var description = new layer_normalization_backward.primitive_desc(
                Dnnl.ENGINE,
                (weights ? prop_kind.backward : prop_kind.backward_data).value,
                desc,
                desc,
                desc,
                Dnnl.desc(x.type(), rows),
                (float) b.epsilon,
                flags,
                forward(x, rows, b.epsilon, flags),
                Dnnl.attributes(),
                false);
        var primitive = Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_DIFF_DST, dy)
                .with(dnnl.DNNL_ARG_SRC, x)
                .with(dnnl.DNNL_ARG_MEAN, b.mean.with(rows))
                .with(dnnl.DNNL_ARG_VARIANCE, b.variance.with(rows))
                .with(dnnl.DNNL_ARG_DIFF_SRC, Softmaxes.rows(work));
        vector(primitive, "scale", dnnl.DNNL_ARG_SCALE, b.scale, x);
        TensorView dScale = b.dScale;
        if (b.scale != null && dScale == null) {
            dScale = assembly.temporary(x.type(), x.layout().size(1)); // oneDNN 3.8 cannot leave it out
        }
        vector(primitive, "dScale", dnnl.DNNL_ARG_DIFF_SCALE, dScale, x);
        vector(primitive, "dShift", dnnl.DNNL_ARG_DIFF_SHIFT, b.dShift, x);
        primitive.add();
        if (work != b.dx) {
            Copies.add(assembly, work, b.dx);
        }
    }

    private static int flag(@Nullable TensorView tensor, normalization_flags flag) {
        return tensor == null ? 0 : flag.value;
    }

    private static void statistics(String title, TensorView x, TensorView mean, TensorView variance) {
        Tensors.length(title, "mean", mean, x.layout().size(0));
        Tensors.length(title, "variance", variance, x.layout().size(0));
    }

    private static void vector(
            Primitive.Builder primitive, String name, int index, @Nullable TensorView vector, TensorView x) {
        if (vector != null) {
            Tensors.floats("layer norm", vector);
            Tensors.length("layer norm", name, vector, x.layout().size(1));
            primitive.with(index, vector.with(Layout.dense(x.layout().size(1))));
        }
    }
}
