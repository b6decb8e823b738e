package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.reduction;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Sums, means and extremes along axes. oneDNN reduces the innermost axis fast and no other; sums along outer axes are
 * products with a row of ones, extremes along them are taken after a transposing copy. NaN stays NaN,
 * infinities infinities.
 * Axes of more than 4096 elements are summed in stages of 64, so that the error does not grow with their length.
 */
final class Reductions {
    /** The longest axis that is summed in one go; longer ones lose digits. */
    private static final long LONGEST = 4096;

    /** Elements that one stage adds to one. */
    private static final long STAGE = 64;

    private Reductions() {}

    /** Adds dst = reduction of x along the axes where dst has size 1. */
    static void add(Assembly assembly, ReduceKind kind, TensorView x, TensorView dst) {
        check("reduce " + kind, x, dst);
        List<Layout> layouts = Layout.ordered(List.of(x.layout(), dst.layout().expanded(x.shape())));
        TensorView from = Copies.densified(assembly, x.with(layouts.get(0)));
        Layout to = layouts.get(1);
        for (int axis = to.rank() - 1; axis >= 0; axis--) {
            if (to.stride(axis) == 0 && to.size(axis) > 1) {
                boolean last =
                        to.axes(0, axis).reduced().length() == to.axes(0, axis).length();
                from = reduced(assembly, kind, from, axis, last ? dst.with(to.reduced()) : null);
            }
        }
        if (from.place() != dst.place()) {
            Copies.add(assembly, from, dst.with(to.reduced()));
        }
    }

    private static void check(String title, TensorView x, TensorView dst) {
        Tensors.floats(title, x, dst);
        Tensors.written(title, "dst", dst);
        boolean fits = x.rank() == dst.rank();
        for (int i = 0; fits && i < x.rank(); i++) {
            fits = dst.layout().size(i) == x.layout().size(i) || dst.layout().size(i) == 1;
        }
        if (!fits) {
            throw new IllegalArgumentException(title + ": `x` " + x + " does not reduce to `dst` " + dst
                    + "; every axis must be equal or 1 in dst");
        }
    }

    /** Reduces one axis of a dense tensor to size 1, into dst if it is given and dense. */
    private static TensorView reduced(
            Assembly assembly, ReduceKind kind, TensorView x, int axis, @Nullable TensorView dst) {
        long[] shape = x.shape().clone();
        shape[axis] = 1;
        TensorView result = dst != null && dst.isDense() ? dst : assembly.temporary(x.type(), shape);
        long outer = x.layout().axes(0, axis).length();
        long size = x.layout().size(axis);
        long inner = x.layout().axes(axis + 1, x.rank()).length();
        boolean sums = kind == ReduceKind.SUM || kind == ReduceKind.MEAN;
        if (sums && size > LONGEST) {
            TensorView flat = result.with(Layout.dense(outer, 1, inner));
            staged(assembly, x.with(Layout.dense(outer, size, inner)), flat);
            if (kind == ReduceKind.MEAN) {
                Unaries.forward(assembly, UnaryKind.LINEAR, 1.0 / size, 0, flat, flat);
            }
        } else if (inner == 1) {
            innermost(assembly, kind, x.with(Layout.dense(outer, size)), result.with(Layout.dense(outer, 1)));
        } else if (sums) {
            double factor = kind == ReduceKind.MEAN ? 1.0 / size : 1;
            byOnes(
                    assembly,
                    factor,
                    x.with(Layout.dense(outer, size, inner)),
                    result.with(Layout.dense(outer, 1, inner)));
        } else {
            Layout transposed = Layout.dense(outer, size, inner).permuted(0, 2, 1);
            TensorView copy = Copies.copied(assembly, x.with(transposed));
            innermost(
                    assembly,
                    kind,
                    copy.with(Layout.dense(outer * inner, size)),
                    result.with(Layout.dense(outer * inner, 1)));
        }
        return result.with(Layout.dense(shape));
    }

    /** Sums the middle axis of x [a,n,b] to dst [a,1,b] as a product with a row of ones. */
    private static void byOnes(Assembly assembly, double factor, TensorView x, TensorView dst) {
        TensorView ones = assembly.constant(DataType.FLOAT, 1, 1, 1, x.layout().size(1));
        Matmuls.add(assembly, new Matmuls.Product(ones, x, null, null, dst, factor, false));
    }

    /** Sums the long middle axis of a dense x [a,n,b] to a dense dst [a,1,b] in stages. */
    private static void staged(Assembly assembly, TensorView x, TensorView dst) {
        TensorView rest = x;
        while (rest.layout().size(1) > STAGE) {
            rest = stage(assembly, rest);
        }
        reduced(assembly, ReduceKind.SUM, rest, 1, dst);
    }

    /**
     * Returns sums of STAGE elements of the middle axis of a dense x [a,n,b]: elements that are n / STAGE apart, so that one wide
     * product adds them, and one sum of those that are left over.
     */
    private static TensorView stage(Assembly assembly, TensorView x) {
        long a = x.layout().size(0);
        long n = x.layout().size(1);
        long b = x.layout().size(2);
        long whole = n / STAGE;
        long left = n % STAGE;
        long count = left == 0 ? whole : whole + 1;
        TensorView sums = assembly.temporary(DataType.FLOAT, a, count, b);
        TensorView head = x.with(new Layout(
                new long[] {a, STAGE, whole * b}, new long[] {n * b, whole * b, 1})); // rows of a longer axis
        byOnes(assembly, 1, head, part(sums, 0, whole * b));
        if (left > 0) {
            TensorView tail = x.at(x.place().plus(Float.BYTES * STAGE * whole * b))
                    .with(new Layout(new long[] {a, left, b}, new long[] {n * b, b, 1}));
            byOnes(assembly, 1, tail, part(sums, whole * b, b));
        }
        return sums;
    }

    /** Returns some elements of every row of a dense tensor [a,n,b], as [a,1,count]. */
    private static TensorView part(TensorView x, long begin, long count) {
        long row = x.layout().size(1) * x.layout().size(2);
        return x.at(x.place().plus(Float.BYTES * begin))
                .with(new Layout(new long[] {x.layout().size(0), 1, count}, new long[] {row, row, 1}));
    }

    /** Reduces rows. */
    private static void innermost(Assembly assembly, ReduceKind kind, TensorView x, TensorView dst) {
        primitive(assembly, kind, x, dst);
        if (kind == ReduceKind.MAX || kind == ReduceKind.MIN) {
            exact(assembly, kind == ReduceKind.MAX, x, dst);
        }
    }

    /** Writes NaN where a row has one, and the infinity of rows that have nothing else: oneDNN's extremes lose both. */
    private static void exact(Assembly assembly, boolean largest, TensorView x, TensorView dst) {
        TensorView sums = assembly.temporary(dst.type(), dst.shape());
        primitive(assembly, ReduceKind.SUM, x, sums);
        long rows = x.layout().size(0);
        long width = x.layout().size(1);
        float none = largest ? -Float.MAX_VALUE : Float.MAX_VALUE;
        assembly.add(new JavaKernel("java", x.place(), sums.place(), dst.place()) {
            @Override
            void compute() {
                for (long i = 0; i < rows; i++) {
                    float sum = Memory.getFloat(sums.place().address() + 4 * i);
                    long result = dst.place().address() + 4 * i;
                    if (Float.isNaN(sum)
                            || Memory.getFloat(result) == none) { // or opposite infinities; or such numbers
                        Memory.putFloat(result, extreme(x.place().address() + 4 * i * width));
                    }
                }
            }

            private float extreme(long row) {
                float extreme = Memory.getFloat(row);
                for (long j = 1; j < width; j++) {
                    float next = Memory.getFloat(row + 4 * j);
                    extreme = largest ? Math.max(extreme, next) : Math.min(extreme, next);
                }
                return extreme;
            }
        });
    }

    private static void primitive(Assembly assembly, ReduceKind kind, TensorView x, TensorView dst) {
        algorithm name = switch (kind) {
            case SUM -> algorithm.reduction_sum;
            case MEAN -> algorithm.reduction_mean;
            case MAX -> algorithm.reduction_max;
            case MIN -> algorithm.reduction_min;
        };
        var description = new reduction.primitive_desc(
                Dnnl.ENGINE, name, Dnnl.desc(x), Dnnl.desc(dst), 0f, 0f, Dnnl.attributes(), false);
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_SRC, x)
                .with(dnnl.DNNL_ARG_DST, dst)
                .add();
    }
}
