package dev.samediff.adapters.engine.kernel;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** A plain product of two float matrices by OpenBLAS, which packs both operands. */
final class BlasMatmul extends JavaKernel {
    private final Side a;
    private final Side b;
    private final Side dst;
    private final int m;
    private final int n;
    private final int k;
    private final float alpha;

    private BlasMatmul(String title, Side a, Side b, Side dst, long[] sizes, double alpha) {
        super(title, a.place, b.place, dst.place);
        this.a = a;
        this.b = b;
        this.dst = dst;
        this.m = (int) sizes[0];
        this.k = (int) sizes[1];
        this.n = (int) sizes[2];
        this.alpha = (float) alpha;
    }

    /** Returns the kernel of {@code dst = alpha a b}, or null if the layouts are not those of BLAS. */
    static @Nullable BlasMatmul of(Tensor a, Tensor b, Tensor dst, double alpha) {
        Side left = Side.of(a);
        Side right = Side.of(b);
        Side result = Side.of(dst);
        if (left == null || right == null || result == null || result.transposed) {
            return null;
        }
        long[] sizes = {a.layout().size(0), a.layout().size(1), b.layout().size(1)};
        String title = "matmul f32 " + sizes[0] + "x" + sizes[1] + "x" + sizes[2] + " OpenBLAS";
        return new BlasMatmul(title, left, right, result, sizes, alpha);
    }

    @Override
    void compute() {
        openblas.cblas_sgemm(
                openblas.CblasRowMajor,
                a.transposed ? openblas.CblasTrans : openblas.CblasNoTrans,
                b.transposed ? openblas.CblasTrans : openblas.CblasNoTrans,
                m,
                n,
                k,
                alpha,
                a.pointer(),
                a.leading,
                b.pointer(),
                b.leading,
                0,
                dst.pointer(),
                dst.leading);
    }

    /** A matrix as BLAS sees it. */
    private static final class Side {
        private final Place place;
        private final boolean transposed;
        private final int leading;
        private final Floats floats = new Floats();

        private Side(Place place, boolean transposed, long leading) {
            this.place = place;
            this.transposed = transposed;
            this.leading = (int) leading;
        }

        static @Nullable Side of(Tensor tensor) {
            Layout layout = tensor.layout();
            if (tensor.type() != DataType.FLOAT || tensor.rank() != 2) {
                return null;
            }
            long rows = layout.size(0);
            long columns = layout.size(1);
            if (layout.stride(1) == 1 && layout.stride(0) >= columns && layout.stride(0) <= Integer.MAX_VALUE) {
                return new Side(tensor.place(), false, layout.stride(0));
            }
            if (layout.stride(0) == 1 && layout.stride(1) >= rows && layout.stride(1) <= Integer.MAX_VALUE) {
                return new Side(tensor.place(), true, layout.stride(1));
            }
            return null;
        }

        FloatPointer pointer() {
            return floats.at(place.address());
        }
    }

    /** A raw address of floats; it owns nothing. */
    private static final class Floats extends FloatPointer {
        Floats() {
            super((Pointer) null);
        }

        Floats at(long newAddress) {
            address = newAddress;
            return this;
        }
    }
}
