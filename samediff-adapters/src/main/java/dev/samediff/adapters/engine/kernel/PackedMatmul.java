package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.kernel.Matmuls.Product;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A product of two matrices whose right one is first copied into the layout that oneDNN's inner loops read fastest. Rows that
 * are a multiple of 4096 bytes apart, as those of most transformers' weights, share a few places in the processor's cache, so
 * that reading them in place costs up to a quarter of the speed; the copy costs 3 % of a product with 512 rows. It exists
 * only during the call, for some columns at a time.
 */
final class PackedMatmul {
    /** Rows of the left matrix from which on the copy pays. */
    private static final long LEAST_ROWS = 192;

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
                && p.dst().layout().size(0) >= LEAST_ROWS
                && b.length() >= LEAST_ELEMENTS;
    }

    /** Adds its steps. */
    static void add(Assembly assembly, Product p) {
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
        memory.desc any = new memory.desc(p.b().shape(), Dnnl.type(p.b().type()), memory.format_tag.any);
        matmul.primitive_desc description = Matmuls.description(p, any, null);
        memory.desc packed = description.weights_desc();
        Place place = assembly.reserve(packed.get_size());
        Primitive.of(
                        assembly,
                        new reorder.primitive_desc(
                                Dnnl.ENGINE, Dnnl.desc(p.b()), Dnnl.ENGINE, packed, Dnnl.attributes(), false))
                .with(dnnl.DNNL_ARG_FROM, p.b())
                .with(dnnl.DNNL_ARG_TO, packed, place)
                .add();
        Matmuls.emit(p, null, Primitive.of(assembly, description).with(dnnl.DNNL_ARG_WEIGHTS, packed, place));
    }
}
