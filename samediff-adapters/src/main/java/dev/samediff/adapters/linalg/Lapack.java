package dev.samediff.adapters.linalg;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The four LAPACKE routines in use, on contiguous arrays read as column-major matrices, float32 or float64. Returns are
 * LAPACK's info codes: 0 done, negative an argument is wrong or memory is short, positive no convergence.
 */
final class Lapack {
    private static final int COLUMN_MAJOR = openblas.LAPACK_COL_MAJOR;
    private static final byte THIN = 'S';

    private Lapack() {}

    /** A singular value decomposition [m,n]: destroys {@code a}, fills {@code u [m,k]}, {@code s [k]}, {@code vt [k,n]}. */
    @FunctionalInterface
    interface SvdRoutine {
        int run(int m, int n, INDArray a, INDArray u, INDArray s, INDArray vt);
    }

    /** Divide and conquer: fast, fails to converge on rare matrices. */
    static int gesdd(int m, int n, INDArray a, INDArray u, INDArray s, INDArray vt) {
        int k = Math.min(m, n);
        int info = isDouble(a)
                ? openblas.LAPACKE_dgesdd(
                        COLUMN_MAJOR, THIN, m, n, doubles(a), m, doubles(s), doubles(u), m, doubles(vt), k)
                : openblas.LAPACKE_sgesdd(
                        COLUMN_MAJOR, THIN, m, n, floats(a), m, floats(s), floats(u), m, floats(vt), k);
        return written(info, a, u, s, vt);
    }

    /** QR iteration: slower and sturdier than {@link #gesdd}. */
    static int gesvd(int m, int n, INDArray a, INDArray u, INDArray s, INDArray vt) {
        int k = Math.min(m, n);
        int info;
        if (isDouble(a)) {
            try (DoublePointer superdiagonal = new DoublePointer(k)) {
                info = openblas.LAPACKE_dgesvd(
                        COLUMN_MAJOR,
                        THIN,
                        THIN,
                        m,
                        n,
                        doubles(a),
                        m,
                        doubles(s),
                        doubles(u),
                        m,
                        doubles(vt),
                        k,
                        superdiagonal);
            }
        } else {
            try (FloatPointer superdiagonal = new FloatPointer(k)) {
                info = openblas.LAPACKE_sgesvd(
                        COLUMN_MAJOR,
                        THIN,
                        THIN,
                        m,
                        n,
                        floats(a),
                        m,
                        floats(s),
                        floats(u),
                        m,
                        floats(vt),
                        k,
                        superdiagonal);
            }
        }
        return written(info, a, u, s, vt);
    }

    /** Householder QR in place: R above, reflectors below the diagonal, their factors in {@code tau [min(m,n)]}. */
    static int geqrf(int m, int n, INDArray a, INDArray tau) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dgeqrf(COLUMN_MAJOR, m, n, doubles(a), m, doubles(tau))
                : openblas.LAPACKE_sgeqrf(COLUMN_MAJOR, m, n, floats(a), m, floats(tau));
        return written(info, a, tau);
    }

    /** The first k columns of Q, in place of the reflectors {@code a [m,k]}. */
    static int orgqr(int m, int k, INDArray a, INDArray tau) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dorgqr(COLUMN_MAJOR, m, k, k, doubles(a), m, doubles(tau))
                : openblas.LAPACKE_sorgqr(COLUMN_MAJOR, m, k, k, floats(a), m, floats(tau));
        return written(info, a, tau);
    }

    private static boolean isDouble(INDArray a) {
        return a.dataType() == DataType.DOUBLE;
    }

    private static FloatPointer floats(INDArray array) {
        return new FloatPointer(hostData(array).pointer());
    }

    private static DoublePointer doubles(INDArray array) {
        return new DoublePointer(hostData(array).pointer());
    }

    /** The array's buffer, current on the host (on a CPU backend it always is). */
    static DataBuffer hostData(INDArray array) {
        Nd4j.getAffinityManager().ensureLocation(array, AffinityManager.Location.HOST);
        return array.data();
    }

    /** Tells a GPU backend that the host has the newer values, and keeps the buffers alive until here. */
    private static int written(int info, INDArray... arrays) {
        for (INDArray array : arrays) {
            try {
                Nd4j.getAffinityManager().tagLocation(array, AffinityManager.Location.HOST);
            } finally {
                Reference.reachabilityFence(array);
            }
        }
        return info;
    }
}
