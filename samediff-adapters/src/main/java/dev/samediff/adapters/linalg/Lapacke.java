package dev.samediff.adapters.linalg;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LAPACKE on contiguous column-major arrays of float32 or float64; negative return codes become exceptions. */
final class Lapacke {
    private static final int COLUMN_MAJOR = openblas.LAPACK_COL_MAJOR;

    private Lapacke() {}

    /** Thin SVD by divide and conquer; returns 0, or a positive number when it did not converge. */
    static int gesdd(int m, int n, INDArray a, INDArray s, INDArray u, INDArray vt) {
        int k = Math.min(m, n);
        byte thin = (byte) 'S';
        int info = isFloat(a)
                ? openblas.LAPACKE_sgesdd(COLUMN_MAJOR, thin, m, n, f(a), m, f(s), f(u), m, f(vt), k)
                : openblas.LAPACKE_dgesdd(COLUMN_MAJOR, thin, m, n, d(a), m, d(s), d(u), m, d(vt), k);
        return checked("gesdd", info, a, s, u, vt);
    }

    /** Thin SVD by QR iteration; returns 0, or a positive number when it did not converge. */
    static int gesvd(int m, int n, INDArray a, INDArray s, INDArray u, INDArray vt) {
        int k = Math.min(m, n);
        byte thin = (byte) 'S';
        int info;
        if (isFloat(a)) {
            try (FloatPointer superdiagonal = new FloatPointer(k)) {
                info = openblas.LAPACKE_sgesvd(
                        COLUMN_MAJOR, thin, thin, m, n, f(a), m, f(s), f(u), m, f(vt), k, superdiagonal);
            }
        } else {
            try (DoublePointer superdiagonal = new DoublePointer(k)) {
                info = openblas.LAPACKE_dgesvd(
                        COLUMN_MAJOR, thin, thin, m, n, d(a), m, d(s), d(u), m, d(vt), k, superdiagonal);
            }
        }
        return checked("gesvd", info, a, s, u, vt);
    }

    /** QR factorisation in place: R above the diagonal, reflectors below it. */
    static void geqrf(int m, int n, INDArray a, INDArray tau) {
        int info = isFloat(a)
                ? openblas.LAPACKE_sgeqrf(COLUMN_MAJOR, m, n, f(a), m, f(tau))
                : openblas.LAPACKE_dgeqrf(COLUMN_MAJOR, m, n, d(a), m, d(tau));
        checked("geqrf", info, a, tau);
    }

    /** Forms the first {@code k} columns of Q in place from reflectors. */
    static void orgqr(int m, int k, INDArray a, INDArray tau) {
        int info = isFloat(a)
                ? openblas.LAPACKE_sorgqr(COLUMN_MAJOR, m, k, k, f(a), m, f(tau))
                : openblas.LAPACKE_dorgqr(COLUMN_MAJOR, m, k, k, d(a), m, d(tau));
        checked("orgqr", info, a, tau);
    }

    private static boolean isFloat(INDArray a) {
        return a.dataType() == DataType.FLOAT;
    }

    private static FloatPointer f(INDArray a) {
        return new FloatPointer(a.data().addressPointer());
    }

    private static DoublePointer d(INDArray a) {
        return new DoublePointer(a.data().addressPointer());
    }

    /** Checks a return code, and keeps the arrays reachable until the native call has ended. */
    private static int checked(String routine, int info, INDArray... arrays) {
        Reference.reachabilityFence(arrays);
        if (info == -1010 || info == -1011) {
            throw new OutOfMemoryError("LAPACK " + routine + " could not allocate its work space");
        }
        if (info < 0) {
            throw new IllegalStateException("LAPACK " + routine + " refused its argument " + -info);
        }
        return info;
    }
}
