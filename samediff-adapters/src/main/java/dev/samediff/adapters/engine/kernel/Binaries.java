package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.program.BinaryKind;
import java.util.List;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.post_ops;
import org.jspecify.annotations.Nullable;

/** Functions of two numbers with broadcasting; NaN of either stays NaN. */
final class Binaries {
    private Binaries() {}

    static algorithm algorithm(BinaryKind kind) {
        return switch (kind) {
            case ADD -> algorithm.binary_add;
            case SUBTRACT -> algorithm.binary_sub;
            case MULTIPLY -> algorithm.binary_mul;
            case DIVIDE -> algorithm.binary_div;
            case MAXIMUM -> algorithm.binary_max;
            case MINIMUM -> algorithm.binary_min;
        };
    }

    /** Adds dst = f(a, b); a and b are repeated along their axes of size 1. */
    static void add(Assembly assembly, BinaryKind kind, TensorView a, TensorView b, TensorView dst) {
        String title = "binary " + kind;
        Tensors.floats(title, a, b, dst);
        Tensors.written(title, "dst", dst);
        List<Layout> layouts =
                Layout.ordered(List.of(dst.layout(), expanded(title, "a", a, dst), expanded(title, "b", b, dst)));
        TensorView to = dst.with(layouts.get(0));
        TensorView left = a.with(layouts.get(1));
        TensorView right = b.with(layouts.get(2));
        if (!left.isDense() && right.isDense() && kind.isCommutative()) {
            TensorView swapped = left;
            left = right;
            right = swapped;
        }
        TensorView work = to.isDense() ? to : assembly.temporary(to.type(), to.shape());
        if (!left.isDense()) {
            // A dense right operand may lie where the result does, so the result cannot hold the copy.
            TensorView copy = right.isDense() ? assembly.temporary(to.type(), to.shape()) : work;
            Copies.add(assembly, left, copy);
            left = copy;
        }
        dense(assembly, kind, left, right, work);
        if (work != to) {
            Copies.add(assembly, work, to);
        }
    }

    /** Returns the layout of x repeated to the shape of dst. */
    private static Layout expanded(String title, String name, TensorView x, TensorView dst) {
        if (x.rank() > dst.rank()) {
            throw mismatch(title, name, x, dst);
        }
        Layout padded = x.layout().padded(dst.rank());
        for (int i = 0; i < dst.rank(); i++) {
            if (padded.size(i) != 1 && padded.size(i) != dst.layout().size(i)) {
                throw mismatch(title, name, x, dst);
            }
        }
        return padded.expanded(dst.shape());
    }

    private static IllegalArgumentException mismatch(String title, String name, TensorView x, TensorView dst) {
        return new IllegalArgumentException(title + ": `" + name + "` " + x
                + " cannot be repeated to the shape of `dst` " + dst + "; every axis must be equal or 1");
    }

    /** Left and result dense, right of any layout. */
    private static void dense(Assembly assembly, BinaryKind kind, TensorView left, TensorView right, TensorView to) {
        TensorView once = right.with(right.layout().reduced());
        if (!once.isDense()) {
            once = Copies.copied(assembly, once);
        }
        once = once.with(Layout.dense(once.shape()));
        // oneDNN keeps NaN of the right one.
        boolean bounds = kind == BinaryKind.MAXIMUM || kind == BinaryKind.MINIMUM;
        TensorView marks = bounds ? NanKeeping.marks(assembly, left) : null;
        var description = description(kind, left, once, to, marks);
        if (Primitive.isReference(description) && !right.isDense()) {
            once = Copies.copied(assembly, right);
            description = description(kind, left, once, to, marks);
        }
        Primitive.Builder primitive = Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_SRC_0, left)
                .with(dnnl.DNNL_ARG_SRC_1, once)
                .with(dnnl.DNNL_ARG_DST, to);
        if (marks != null) {
            primitive.with(Matmuls.postOp(0), marks);
        }
        primitive.add();
    }

    private static binary.primitive_desc description(
            BinaryKind kind, TensorView left, TensorView right, TensorView to, @Nullable TensorView marks) {
        post_ops ops = new post_ops();
        if (marks != null) {
            ops.append_binary(algorithm.binary_add, Dnnl.desc(marks));
        }
        return new binary.primitive_desc(
                Dnnl.ENGINE,
                algorithm(kind),
                Dnnl.desc(left),
                Dnnl.desc(right),
                Dnnl.desc(to),
                Dnnl.attributes(ops),
                false);
    }
}
