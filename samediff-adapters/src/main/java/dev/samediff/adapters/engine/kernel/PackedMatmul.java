package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.kernel.Matmuls.Product;
import dev.samediff.adapters.engine.kernel.PackedMatrices.Matrix;
import dev.samediff.adapters.engine.kernel.PackedMatrices.Matrix.Copy;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A product of two matrices whose right one is first copied into the layout that oneDNN's inner loops read fastest. Rows that
 * are a multiple of 4096 bytes apart, as those of most transformers' weights, share a few places in the processor's cache, so
 * that reading them in place costs up to a quarter of the speed; the copy costs 3 to 10 % of a product with 512 rows. It exists
 * only during the call, for some columns at a time, or is kept with {@link PackedMatrices}.
 */
final class PackedMatmul {
    /** Rows of the left matrix from which on the copy pays. */
    private static final long LEAST_ROWS = 192;

    /** The same for a copy that is kept. */
    private static final long LEAST_ROWS_KEPT = 64;

    /** The same for a copy that another product has kept already. */
    private static final long LEAST_ROWS_MADE = 8;

    /** Elements of the right matrix from which on it pays: a smaller one stays in the cache however it lies. */
    private static final long LEAST_ELEMENTS = 1 << 16;

    /** Elements that are copied at a time. */
    private static final long MOST_ELEMENTS = 1 << 22;

    private static final int PANEL = 64;

    private PackedMatmul() {}

    /** Tells whether a product of two matrices is to be computed this way. */
    static boolean pays(Product p) {
        Layout b = p.b().layout();
        return p.dst().rank() == 2
                && p.mask() == null
                && p.b().type() == DataType.FLOAT
                && b.stride(1) == 1
                && p.dst().layout().size(0) >= leastRows(p)
                && b.size(0) >= PANEL
                && b.length() >= LEAST_ELEMENTS;
    }

    private static long leastRows(Product p) {
        Matrix matrix = p.b().packed();
        if (matrix == null) {
            return LEAST_ROWS;
        }
        return matrix.use(p.b().layout(), known -> known == null ? LEAST_ROWS_KEPT : LEAST_ROWS_MADE);
    }

    /** Adds its steps. */
    static void add(Assembly assembly, Product p) {
        Matrix matrix = p.b().packed();
        if (matrix != null && addKept(assembly, p, matrix)) {
            return;
        }
        long k = p.b().layout().size(0);
        long n = p.b().layout().size(1);
        long columns = Math.min(n, Math.max(PANEL, MOST_ELEMENTS / k / PANEL * PANEL));
        for (long begin = 0; begin < n; begin += columns) {
            long reserved = assembly.reserved();
            addColumns(assembly, p.columns(begin, Math.min(columns, n - begin)));
            assembly.release(reserved); // one part after the other
        }
    }

    private static void addColumns(Assembly assembly, Product p) {
        matmul.primitive_desc description = Matmuls.description(p, any(p), null);
        memory.desc packed = description.weights_desc();
        Place place = assembly.reserve(packed.get_size());
        addCopy(assembly, p.b(), packed, place);
        addProduct(assembly, p, description, place);
    }

    /** A product with the one copy that is kept, unless that was made for another product and does not serve this one. */
    private static boolean addKept(Assembly assembly, Product p, Matrix matrix) {
        return matrix.use(p.b().layout(), known -> addKept(assembly, p, matrix, known));
    }

    private static boolean addKept(Assembly assembly, Product p, Matrix matrix, @Nullable Copy known) {
        matmul.primitive_desc description = Matmuls.description(p, known == null ? any(p) : known.desc(), null);
        if (Primitive.isReference(description)) {
            return false;
        }
        addKept(
                assembly,
                p,
                known == null ? matrix.add(p.b().layout(), description.weights_desc()) : known,
                description);
        return true;
    }

    private static void addKept(Assembly assembly, Product p, Copy copy, matmul.primitive_desc description) {
        int mark = assembly.mark();
        addCopy(assembly, p.b(), copy.desc(), copy);
        assembly.add(copy.refresh(assembly.since(mark), p.b().place()));
        addProduct(assembly, p, description, copy);
    }

    private static memory.desc any(Product p) {
        return new memory.desc(p.b().shape(), Dnnl.type(p.b().type()), memory.format_tag.any);
    }

    private static void addCopy(Assembly assembly, TensorView from, memory.desc packed, Place to) {
        reorder.primitive_desc description =
                new reorder.primitive_desc(Dnnl.ENGINE, Dnnl.desc(from), Dnnl.ENGINE, packed, Dnnl.attributes(), false);
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_FROM, from)
                .with(dnnl.DNNL_ARG_TO, packed, to)
                .add();
    }

    private static void addProduct(Assembly assembly, Product p, matmul.primitive_desc description, Place packed) {
        Matmuls.emit(
                p,
                null,
                Primitive.of(assembly, description).with(dnnl.DNNL_ARG_WEIGHTS, description.weights_desc(), packed));
    }
}
