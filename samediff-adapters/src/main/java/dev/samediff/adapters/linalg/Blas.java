package dev.samediff.adapters.linalg;

import static dev.samediff.adapters.linalg.Lapack.doubles;
import static dev.samediff.adapters.linalg.Lapack.floats;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.openblas.global.openblas_full;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The BLAS routines in use, on contiguous arrays read as column-major matrices, float32 or float64. */
final class Blas {
    private static final int ORDER = openblas.CblasColMajor;

    private Blas() {}

    /** Returns the sum of magnitudes: not finite if an element is not, and where the sum overflows. */
    static double sumOfMagnitudes(INDArray a) {
        int length = Math.toIntExact(a.length());
        double sum = Lapack.isDouble(a)
                ? openblas.cblas_dasum(length, doubles(a), 1)
                : openblas.cblas_sasum(length, floats(a), 1);
        Lapack.written(0, a);
        return sum;
    }

    /** Returns the sum of squares, added up in float64. */
    static double sumOfSquares(INDArray a) {
        int length = Math.toIntExact(a.length());
        double sum = Lapack.isDouble(a)
                ? openblas.cblas_ddot(length, doubles(a), 1, doubles(a), 1)
                : openblas.cblas_dsdot(length, floats(a), 1, floats(a), 1);
        Lapack.written(0, a);
        return sum;
    }

    /** Returns the largest magnitude of finite numbers. */
    static double largestMagnitude(INDArray a) {
        int length = Math.toIntExact(a.length());
        double largest = Lapack.isDouble(a)
                ? doubles(a).get(openblas.cblas_idamax(length, doubles(a), 1))
                : floats(a).get(openblas.cblas_isamax(length, floats(a), 1));
        Lapack.written(0, a);
        return Math.abs(largest);
    }

    /** {@code c [m,n] = op(a) op(b)}, k being the columns of op(a). */
    static void gemm(boolean transposeA, boolean transposeB, int m, int n, int k, INDArray a, INDArray b, INDArray c) {
        int opA = transposeA ? openblas.CblasTrans : openblas.CblasNoTrans;
        int opB = transposeB ? openblas.CblasTrans : openblas.CblasNoTrans;
        int lda = transposeA ? k : m;
        int ldb = transposeB ? n : k;
        if (Lapack.isDouble(a)) {
            openblas.cblas_dgemm(ORDER, opA, opB, m, n, k, 1, doubles(a), lda, doubles(b), ldb, 0, doubles(c), m);
        } else {
            openblas.cblas_sgemm(ORDER, opA, opB, m, n, k, 1, floats(a), lda, floats(b), ldb, 0, floats(c), m);
        }
        Lapack.written(0, a, b, c);
    }

    /**
     * {@code sums [m,n] += a b} in float64, all row-major, with k columns of a.
     *
     * @param from first element of a
     * @param fromB first element of b
     * @param ldb elements from one row of b to the next
     */
    static void addProduct(
            int m, int n, int k, INDArray a, long from, INDArray b, long fromB, int ldb, DoublePointer sums) {
        openblas.cblas_dgemm(
                openblas.CblasRowMajor,
                openblas.CblasNoTrans,
                openblas.CblasNoTrans,
                m,
                n,
                k,
                1,
                doubles(a).position(from),
                k,
                doubles(b).position(fromB),
                ldb,
                1,
                sums,
                n);
        Lapack.written(0, a, b);
    }

    /** {@code to [n,m] = a^T} of {@code a [m,n]}. */
    static void transpose(int m, int n, INDArray a, INDArray to) {
        if (Lapack.isDouble(a)) {
            openblas_full.cblas_domatcopy(ORDER, openblas.CblasTrans, m, n, 1, doubles(a), m, doubles(to), n);
        } else {
            openblas_full.cblas_somatcopy(ORDER, openblas.CblasTrans, m, n, 1, floats(a), m, floats(to), n);
        }
        Lapack.written(0, a, to);
    }
}
