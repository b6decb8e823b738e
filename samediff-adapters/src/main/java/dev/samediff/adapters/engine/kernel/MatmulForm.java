package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.kernel.Matmuls.Product;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Brings a product into the form with the fewest leading axes and layouts that oneDNN's kernels read. */
final class MatmulForm {
    private MatmulForm() {}

    static Product reduced(Assembly assembly, Product p) {
        TensorView a = readable(assembly, leadingOnce(p.a()));
        TensorView b = readable(assembly, leadingOnce(p.b()));
        TensorView mask = p.mask() == null ? null : once(assembly, p.mask());
        Product q = p.with(a, b, mask, p.dst());
        Product rows = asRows(q);
        return rows != null ? rows : joined(q);
    }

    /** Cuts repeated leading axes (stride 0) to size 1, which oneDNN repeats by itself. */
    private static TensorView leadingOnce(TensorView x) {
        Layout layout = x.layout();
        int lead = layout.rank() - 2;
        return x.with(layout.axes(0, lead).reduced().then(layout.axes(lead, lead + 2)));
    }

    /**
     * A matrix that is neither row-major nor column-major is copied, and a vector whose elements are apart. So are several
     * vectors with gaps between them: oneDNN 3.8 reads some of them wrongly, such as [3,2,1,8] with strides 48, 8, 8, 1.
     */
    private static TensorView readable(Assembly assembly, TensorView x) {
        Layout l = x.layout();
        int m = x.rank() - 2;
        boolean vectors = (l.size(m) == 1 || l.size(m + 1) == 1) && l.axes(0, m).length() > 1;
        if (vectors && !l.isDense()) {
            return Copies.copied(assembly, x);
        }
        boolean rowMajor = isRowMajor(l, m, m + 1);
        return rowMajor || isRowMajor(l, m + 1, m) ? x.with(canonical(l, rowMajor)) : Copies.copied(assembly, x);
    }

    /** oneDNN 3.8 reads vectors with strides wrongly, though it accepts them. */
    private static boolean isRowMajor(Layout l, int outer, int inner) {
        if (l.size(inner) == 1) {
            return l.size(outer) == 1;
        }
        return l.stride(inner) == 1 && (l.stride(outer) >= l.size(inner) || l.size(outer) == 1);
    }

    /** Gives axes of size 1 the stride they would have in a matrix without holes, so that oneDNN sees one. */
    private static Layout canonical(Layout l, boolean rowMajor) {
        long[] strides = l.strides().clone();
        int m = l.rank() - 2;
        int inner = rowMajor ? m + 1 : m;
        int outer = rowMajor ? m : m + 1;
        strides[inner] = 1;
        if (l.size(outer) == 1) {
            strides[outer] = l.size(inner);
        }
        return new Layout(l.shape(), strides);
    }

    private static TensorView once(Assembly assembly, TensorView mask) {
        TensorView once = mask.with(mask.layout().reduced());
        TensorView dense = once.isDense() ? once : Copies.copied(assembly, once);
        return dense.with(Layout.dense(dense.shape()));
    }

    /** Joins the leading axes with the rows where b is one matrix: the product is then one of two matrices. */
    private static @Nullable Product asRows(Product p) {
        int lead = p.dst().rank() - 2;
        if (p.mask() != null || p.b().layout().axes(0, lead).length() != 1) {
            return null;
        }
        List<Layout> rows = Layout.collapsed(
                List.of(p.a().layout().axes(0, lead + 1), p.dst().layout().axes(0, lead + 1)));
        if (rows.get(0).rank() != 1) {
            return null;
        }
        TensorView b = p.b().with(p.b().layout().axes(lead, lead + 2));
        TensorView a = p.a().with(matrix(rows.get(0), p.a().layout()));
        TensorView dst = p.dst().with(canonical(matrix(rows.get(1), p.dst().layout()), true));
        boolean readable = a.layout().stride(1) == 1 || a.layout().stride(0) == 1;
        return readable ? p.with(a, b, null, dst) : null;
    }

    private static Layout matrix(Layout rows, Layout columnsOf) {
        Layout matrix = rows.then(columnsOf.axes(columnsOf.rank() - 1, columnsOf.rank()));
        return matrix.size(0) == 1 ? canonical(matrix, true) : matrix;
    }

    /** Joins neighbouring leading axes that all operands walk through in one go or repeat in one go. */
    private static Product joined(Product p) {
        Product q = p;
        for (int axis = p.dst().rank() - 4; axis >= 0; axis--) {
            List<TensorView> all = operands(q);
            int i = axis;
            if (i + 1 < q.dst().rank() - 2 && all.stream().allMatch(t -> joins(t.layout(), i, q0(all)))) {
                q = q.with(
                        join(q.a(), i), join(q.b(), i), q.mask() == null ? null : join(q.mask(), i), join(q.dst(), i));
            }
        }
        q = dropped(q);
        return q.with(q.a(), q.b(), q.mask(), q.dst().with(canonical(q.dst().layout(), true)));
    }

    private static Layout q0(List<TensorView> operands) {
        return operands.get(0).layout();
    }

    private static List<TensorView> operands(Product p) {
        List<TensorView> all = new ArrayList<>(List.of(p.dst(), p.a(), p.b()));
        if (p.mask() != null) {
            all.add(p.mask());
        }
        return all;
    }

    private static boolean joins(Layout l, int axis, Layout dst) {
        boolean once = l.size(axis) == 1 && l.size(axis + 1) == 1;
        boolean whole = l.size(axis) == dst.size(axis) && l.size(axis + 1) == dst.size(axis + 1);
        boolean inOneGo =
                l.stride(axis) == l.stride(axis + 1) * l.size(axis + 1) || l.size(axis) == 1 || l.size(axis + 1) == 1;
        return (whole && inOneGo) || once;
    }

    private static TensorView join(TensorView x, int axis) {
        Layout l = x.layout();
        long stride = l.size(axis + 1) == 1 ? l.stride(axis) : l.stride(axis + 1);
        Layout joint = new Layout(new long[] {l.size(axis) * l.size(axis + 1)}, new long[] {stride});
        return x.with(l.axes(0, axis).then(joint).then(l.axes(axis + 2, l.rank())));
    }

    /** Drops a first axis of size 1. */
    private static Product dropped(Product p) {
        if (p.dst().rank() == 2 || p.dst().layout().size(0) != 1) {
            return p;
        }
        return dropped(p.with(tail(p.a()), tail(p.b()), p.mask() == null ? null : tail(p.mask()), tail(p.dst())));
    }

    private static TensorView tail(TensorView x) {
        return x.with(x.layout().axes(1, x.rank()));
    }
}
