package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.program.BinaryKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Matrix products. Transposition, heads and slices are strides, which oneDNN's kernels read without a copy; this class
 * finds the form with the fewest axes, because only those forms have fast kernels.
 */
final class Matmuls {
    private static final long NARROW = 32;

    private Matmuls() {}

    /** dst = alpha a b + bias + mask + (dst if accumulate). */
    record Product(
            TensorView a,
            TensorView b,
            @Nullable TensorView bias,
            @Nullable TensorView mask,
            TensorView dst,
            double alpha,
            boolean accumulate) {
        String title() {
            Layout to = dst.layout();
            StringBuilder title = new StringBuilder("matmul ")
                    .append(a.type() == DataType.BFLOAT16 ? "bf16" : b.type() == DataType.BFLOAT16 ? "f32*bf16" : "f32")
                    .append(' ');
            for (int i = 0; i < to.rank() - 2; i++) {
                title.append(to.size(i)).append('x');
            }
            int last = to.rank() - 1;
            return title.append(to.size(last - 1))
                    .append('x')
                    .append(a.layout().size(a.rank() - 1))
                    .append('x')
                    .append(to.size(last))
                    .toString();
        }

        Product with(TensorView newA, TensorView newB, @Nullable TensorView newMask, TensorView newDst) {
            return new Product(newA, newB, bias, newMask, newDst, alpha, accumulate);
        }

        /** Returns the product for some columns of b, of two matrices without a mask. */
        Product columns(long begin, long count) {
            return new Product(
                    a,
                    columns(b, begin, count),
                    bias == null ? null : part(bias, bias.layout().axes(0, 0), begin, count),
                    null,
                    columns(dst, begin, count),
                    alpha,
                    accumulate);
        }

        private static TensorView columns(TensorView x, long begin, long count) {
            return part(x, x.layout().axes(0, 1), begin, count);
        }

        private static TensorView part(TensorView x, Layout rows, long begin, long count) {
            long stride = x.layout().stride(x.rank() - 1);
            Layout columns = new Layout(new long[] {count}, new long[] {stride});
            return x.at(x.place().plus(begin * stride * Tensors.bytes(x.type())))
                    .with(rows.then(columns));
        }
    }

    static Kernel kernel(Workspace workspace, Product product) {
        int rank = product.dst.rank();
        if (rank < 2 || product.a.rank() < 2 || product.b.rank() < 2) {
            throw new IllegalArgumentException("matmul: a " + product.a + ", b " + product.b + " and dst " + product.dst
                    + " must have at least 2 axes");
        }
        Assembly assembly = new Assembly(product.title(), workspace);
        Product padded = padded(product);
        check(padded);
        add(assembly, padded);
        return assembly.build();
    }

    private static Product padded(Product p) {
        int rank = p.dst.rank();
        if (p.a.rank() > rank || p.b.rank() > rank || (p.mask != null && p.mask.rank() > rank)) {
            throw mismatch(p);
        }
        return p.with(
                p.a.with(p.a.layout().padded(rank)),
                p.b.with(p.b.layout().padded(rank)),
                p.mask == null ? null : p.mask.with(p.mask.layout().padded(rank)),
                p.dst);
    }

    private static IllegalArgumentException mismatch(Product p) {
        return new IllegalArgumentException("matmul: a " + p.a + " times b " + p.b
                + (p.mask == null ? "" : " plus mask " + p.mask) + (p.bias == null ? "" : " plus bias " + p.bias)
                + " does not give dst " + p.dst
                + "; expected a [...,m,k], b [...,k,n], dst [...,m,n], bias [n], leading axes equal or 1");
    }

    private static void check(Product p) {
        Tensors.written("matmul", "dst", p.dst);
        Tensors.type("matmul", "a", p.a, DataType.FLOAT, DataType.BFLOAT16);
        Tensors.type("matmul", "b", p.b, DataType.FLOAT, DataType.BFLOAT16);
        Tensors.floats("matmul", p.dst);
        if (p.a.type() == DataType.BFLOAT16 && p.b.type() == DataType.FLOAT) {
            throw new IllegalArgumentException(
                    "matmul: a is BFLOAT16 and b is FLOAT; only b alone, or both, may be" + " BFLOAT16");
        }
        Layout a = p.a.layout();
        Layout b = p.b.layout();
        Layout dst = p.dst.layout();
        int m = dst.rank() - 2;
        int n = dst.rank() - 1;
        boolean fits = a.size(m) == dst.size(m) && b.size(n) == dst.size(n) && a.size(n) == b.size(m);
        for (int i = 0; i < m; i++) {
            fits &= a.size(i) == dst.size(i) || a.size(i) == 1;
            fits &= b.size(i) == dst.size(i) || b.size(i) == 1;
            fits &= Math.max(a.size(i), b.size(i)) == dst.size(i);
        }
        for (int i = 0; p.mask != null && i <= n; i++) {
            fits &= p.mask.layout().size(i) == dst.size(i) || p.mask.layout().size(i) == 1;
        }
        if (!fits || (p.bias != null && !Arrays.equals(p.bias.shape(), new long[] {dst.size(n)}))) {
            throw mismatch(p);
        }
        if (p.bias != null) {
            Tensors.floats("matmul", p.bias);
        }
        if (p.mask != null) {
            Tensors.floats("matmul", p.mask);
        }
    }

    static void add(Assembly assembly, Product p) {
        Layout dst = p.dst.layout();
        int m = dst.rank() - 2;
        int n = dst.rank() - 1;
        if (isNarrow(p)) {
            TensorView work = assembly.temporary(p.dst.type(), dst.size(1), dst.size(0));
            TensorView turned = work.with(work.layout().permuted(new int[] {1, 0}));
            addRowMajor(assembly, turned(p.with(p.a, p.b, null, turned)));
            Copies.add(assembly, turned, p.dst);
        } else if (unit(dst, n) && !isLoose(dst, m, n)) {
            addRowMajor(assembly, p);
        } else if (unit(dst, m) && !isLoose(dst, n, m) && p.bias == null && p.a.type() == p.b.type()) {
            addRowMajor(assembly, turned(p));
        } else {
            TensorView work = assembly.temporary(p.dst.type(), p.dst.shape());
            if (p.accumulate) {
                Copies.add(assembly, p.dst, work);
            }
            addRowMajor(assembly, p.with(p.a, p.b, p.mask, work));
            Copies.add(assembly, work, p.dst);
        }
    }

    /** The same product with rows and columns exchanged: dst^T = b^T a^T. */
    private static Product turned(Product p) {
        int rank = p.dst.rank();
        int[] swap = IntStream.range(0, rank).toArray();
        swap[rank - 2] = rank - 1;
        swap[rank - 1] = rank - 2;
        return p.with(
                p.b.with(p.b.layout().permuted(swap)),
                p.a.with(p.a.layout().permuted(swap)),
                p.mask == null ? null : p.mask.with(p.mask.layout().permuted(swap)),
                p.dst.with(p.dst.layout().permuted(swap)));
    }

    /**
     * Whether a result of few columns is better computed with its few rows and copied: the gradient x^T g of an adapter's
     * narrow matrix takes two thirds of the time this way, because whole rows of x are read.
     */
    private static boolean isNarrow(Product p) {
        Layout dst = p.dst.layout();
        return dst.rank() == 2
                && p.bias == null
                && p.mask == null
                && !p.accumulate
                && p.a.type() == p.b.type()
                && dst.stride(1) == 1
                && dst.size(1) > 1
                && dst.size(1) <= NARROW
                && dst.size(0) >= 4 * dst.size(1)
                && p.a.layout().stride(0) == 1
                && p.a.layout().stride(1) > 1;
    }

    /** Neighbours along the axis are neighbours in memory, or there are none. */
    private static boolean unit(Layout layout, int axis) {
        return layout.stride(axis) == 1 || layout.size(axis) == 1;
    }

    /** A single column whose elements are apart, which oneDNN 3.8 writes to the wrong places. */
    private static boolean isLoose(Layout layout, int rows, int columns) {
        return layout.size(columns) == 1 && layout.size(rows) > 1 && layout.stride(rows) != 1;
    }

    private static void addRowMajor(Assembly assembly, Product product) {
        Product p = MatmulForm.reduced(assembly, product);
        if (PackedMatmul.pays(p)) {
            PackedMatmul.add(assembly, p);
            return;
        }
        var description = description(p, p.mask);
        if (!Primitive.isReference(description)) {
            emit(assembly, p, p.mask, description);
        } else if (p.dst.rank() > 2) {
            addLoop(assembly, p);
        } else if (p.mask != null) {
            addWithoutMask(assembly, p);
        } else {
            Product dense = p.with(Copies.copied(assembly, p.a), Copies.copied(assembly, p.b), null, p.dst);
            emit(assembly, dense, null, description(dense, null));
        }
    }

    /** One product after the other along the first axis. */
    private static void addLoop(Assembly assembly, Product p) {
        List<Loop.Cursor> cursors = new ArrayList<>();
        int mark = assembly.mark();
        TensorView mask = p.mask == null ? null : inner(p.mask, cursors);
        addRowMajor(assembly, p.with(inner(p.a, cursors), inner(p.b, cursors), mask, inner(p.dst, cursors)));
        assembly.add(new Loop(p.dst.layout().size(0), cursors, assembly.since(mark)));
    }

    private static TensorView inner(TensorView tensor, List<Loop.Cursor> cursors) {
        Layout layout = tensor.layout();
        TensorView inner = tensor.with(layout.axes(1, layout.rank()));
        if (layout.size(0) == 1) {
            return inner;
        }
        Loop.Cursor cursor = new Loop.Cursor(tensor.place(), layout.stride(0) * Tensors.bytes(tensor.type()));
        cursors.add(cursor);
        return inner.at(cursor);
    }

    private static void addWithoutMask(Assembly assembly, Product p) {
        emit(assembly, p, null, description(p, null));
        TensorView mask = Objects.requireNonNull(p.mask);
        Binaries.add(assembly, BinaryKind.ADD, p.dst, mask, p.dst);
    }

    private static matmul.primitive_desc description(Product p, @Nullable TensorView mask) {
        return description(p, Dnnl.desc(p.b), mask);
    }

    /** Describes a product whose right matrix lies as given. */
    static matmul.primitive_desc description(Product p, memory.desc b, @Nullable TensorView mask) {
        var attributes = Dnnl.attributes(postOps(p, mask));
        if (isNativeBias(p)) {
            return new matmul.primitive_desc(
                    Dnnl.ENGINE, Dnnl.desc(p.a), b, Dnnl.desc(bias(p)), Dnnl.desc(p.dst), attributes, false);
        }
        return new matmul.primitive_desc(Dnnl.ENGINE, Dnnl.desc(p.a), b, Dnnl.desc(p.dst), attributes, false);
    }

    private static boolean isNativeBias(Product p) {
        return p.bias != null && p.alpha == 1;
    }

    private static post_ops postOps(Product p, @Nullable TensorView mask) {
        post_ops ops = new post_ops();
        if (p.alpha != 1) {
            ops.append_eltwise(algorithm.eltwise_linear, (float) p.alpha, 0);
        }
        if (p.bias != null && !isNativeBias(p)) {
            ops.append_binary(algorithm.binary_add, Dnnl.desc(bias(p)));
        }
        if (mask != null) {
            ops.append_binary(algorithm.binary_add, Dnnl.desc(mask));
        }
        if (p.accumulate) {
            ops.append_sum();
        }
        return ops;
    }

    /** The bias as [1,...,1,n]. */
    private static TensorView bias(Product p) {
        TensorView bias = Objects.requireNonNull(p.bias);
        return bias.with(
                Layout.dense(Layout.dense(bias.shape()).padded(p.dst.rank()).shape()));
    }

    private static void emit(
            Assembly assembly, Product p, @Nullable TensorView mask, matmul.primitive_desc description) {
        emit(p, mask, Primitive.of(assembly, description).with(dnnl.DNNL_ARG_WEIGHTS, p.b));
    }

    /** Adds a primitive that has its right matrix already. */
    static void emit(Product p, @Nullable TensorView mask, Primitive.Builder primitive) {
        primitive.with(dnnl.DNNL_ARG_SRC, p.a).with(dnnl.DNNL_ARG_DST, p.dst);
        int position = p.alpha == 1 ? 0 : 1;
        if (isNativeBias(p)) {
            primitive.with(dnnl.DNNL_ARG_BIAS, bias(p));
        } else if (p.bias != null) {
            primitive.with(postOp(position++), bias(p));
        }
        if (mask != null) {
            primitive.with(postOp(position), mask);
        }
        primitive.add();
    }

    static int postOp(int position) {
        return dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (position + 1) | dnnl.DNNL_ARG_SRC_1;
    }
}
