package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.normalization_flags;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Normalisation of rows by their root mean square, which oneDNN 3.8 does not have on the CPU, made of its layer norm with
 * mean 0: forward with given statistics; backward it takes away {@code rstd mean(dy scale)} too much, which is added again.
 */
final class RmsNorms {
    private RmsNorms() {}

    /** Adds rstd = 1 / sqrt(mean(x^2) + epsilon) and y = x rstd scale. */
    static void forward(
            Assembly assembly,
            double epsilon,
            TensorView x,
            @Nullable TensorView scale,
            TensorView y,
            TensorView rstd) {
        String title = "rms norm";
        Tensors.floats(title, x, y, rstd);
        Tensors.shape(title, "x", x, y.shape());
        Tensors.written(title, "y", y);
        TensorView from = Softmaxes.rows(Copies.densified(assembly, x));
        long rows = from.layout().size(0);
        Tensors.length(title, "rstd", rstd, rows);
        TensorView work = Softmaxes.rows(y.isDense() ? y : assembly.temporary(y.type(), y.shape()));
        TensorView unused = assembly.temporary(y.type(), work.shape()); // y may lie where x does, which is read again
        TensorView mean = assembly.temporary(DataType.FLOAT, rows);
        TensorView square = assembly.temporary(DataType.FLOAT, rows);
        LayerNorms.forward(assembly, new LayerNorms.Forward(epsilon, from, null, null, unused, mean, square));
        assembly.add(new JavaKernel("java", mean.place(), square.place(), rstd.place()) {
            @Override
            void compute() {
                for (long i = 0; i < 4 * rows; i += 4) {
                    double m = Memory.getFloat(mean.place().address() + i);
                    double s = Memory.getFloat(square.place().address() + i) + m * m;
                    Memory.putFloat(square.place().address() + i, (float) s);
                    Memory.putFloat(rstd.place().address() + i, (float) (1 / Math.sqrt(s + epsilon)));
                }
            }
        });
        normalise(assembly, epsilon, from, scale, work, square);
        if (work.place() != y.place()) {
            Copies.add(assembly, work.with(Layout.dense(y.shape())), y);
        }
    }

    private static void normalise(
            Assembly assembly,
            double epsilon,
            TensorView x,
            @Nullable TensorView scale,
            TensorView y,
            TensorView square) {
        int flags =
                normalization_flags.use_global_stats.value | (scale == null ? 0 : normalization_flags.use_scale.value);
        var description = new layer_normalization_forward.primitive_desc(
                Dnnl.ENGINE,
                prop_kind.forward_inference.value,
                Dnnl.desc(x),
                Dnnl.desc(y),
                Dnnl.desc(square),
                (float) epsilon,
                flags,
                Dnnl.attributes(),
                false);
        var primitive = Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_SRC, x)
                .with(dnnl.DNNL_ARG_DST, y)
                .with(dnnl.DNNL_ARG_MEAN, assembly.constant(DataType.FLOAT, 0, square.shape()))
                .with(dnnl.DNNL_ARG_VARIANCE, square);
        if (scale != null) {
            Tensors.floats("rms norm", scale);
            Tensors.length("rms norm", "scale", scale, x.layout().size(1));
            primitive.with(
                    dnnl.DNNL_ARG_SCALE, scale.with(Layout.dense(x.layout().size(1))));
        }
        primitive.add();
    }

    /** The operands of the backward pass. */
    record Backward(
            TensorView dy,
            TensorView x,
            TensorView rstd,
            @Nullable TensorView scale,
            TensorView dx,
            @Nullable TensorView dScale) {}

    /** Adds dx = rstd (g - x rstd mean(g x rstd)) with g = dy scale, and the gradient of scale if it is wanted. */
    static void backward(Assembly assembly, Backward b) {
        String title = "gradient of rms norm";
        Tensors.floats(title, b.dy, b.x, b.rstd, b.dx);
        Tensors.shape(title, "dy", b.dy, b.x.shape());
        Tensors.shape(title, "dx", b.dx, b.x.shape());
        Tensors.written(title, "dx", b.dx);
        TensorView x = Softmaxes.rows(Copies.densified(assembly, b.x));
        TensorView dy = Softmaxes.rows(Copies.densified(assembly, b.dy));
        long rows = x.layout().size(0);
        Tensors.length(title, "rstd", b.rstd, rows);
        TensorView means = assembly.temporary(DataType.FLOAT, rows, 1);
        rowMeans(assembly, dy, b.scale, means);
        TensorView square = assembly.temporary(DataType.FLOAT, rows);
        assembly.add(new JavaKernel("java", b.rstd.place(), means.place(), square.place()) {
            @Override
            void compute() {
                for (long i = 0; i < 4 * rows; i += 4) {
                    float r = Memory.getFloat(b.rstd.place().address() + i);
                    long mean = means.place().address() + i;
                    Memory.putFloat(mean, r * Memory.getFloat(mean));
                    Memory.putFloat(square.place().address() + i, 1 / (r * r));
                }
            }
        });
        TensorView work = Softmaxes.rows(b.dx.isDense() ? b.dx : assembly.temporary(b.dx.type(), b.dx.shape()));
        TensorView zero = assembly.constant(DataType.FLOAT, 0, rows);
        LayerNorms.backward(assembly, new LayerNorms.Backward(0, dy, x, zero, square, b.scale, work, b.dScale, null));
        Binaries.add(assembly, BinaryKind.ADD, work, means, work);
        if (work.place() != b.dx.place()) {
            Copies.add(assembly, work.with(Layout.dense(b.dx.shape())), b.dx);
        }
    }

    /** The mean of dy scale of every row. */
    private static void rowMeans(Assembly assembly, TensorView dy, @Nullable TensorView scale, TensorView means) {
        if (scale == null) {
            Reductions.add(assembly, ReduceKind.MEAN, dy, means);
            return;
        }
        long width = dy.layout().size(1);
        Tensors.floats("gradient of rms norm", scale);
        Tensors.length("gradient of rms norm", "scale", scale, width);
        Matmuls.add(
                assembly,
                new Matmuls.Product(dy, scale.with(Layout.dense(width, 1)), null, null, means, 1.0 / width, false));
    }
}
