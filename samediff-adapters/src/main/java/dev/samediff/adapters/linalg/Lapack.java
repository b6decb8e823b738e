package dev.samediff.adapters.linalg;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The LAPACKE routines in use, on contiguous arrays read as column-major matrices, float32 or float64. Returns are
 * LAPACK's info codes: 0 done, negative an argument is wrong or memory is short, positive no convergence.
 */
final class Lapack {
    private static final int COLUMN_MAJOR = openblas.LAPACK_COL_MAJOR;
    private static final byte THIN = 'S';
    private static final byte UPPER = 'U';
    private static final byte LOWER = 'L';
    private static final byte OF_Q = 'Q';
    private static final byte OF_P = 'P';
    private static final byte VECTORS = 'I';
    private static final byte LEFT = 'L';
    private static final byte PLAIN = 'N';
    private static final byte TRANSPOSED = 'T';

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

    /** Householder LQ in place: L below, reflectors above the diagonal, their factors in {@code tau [min(m,n)]}. */
    static int gelqf(int m, int n, INDArray a, INDArray tau) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dgelqf(COLUMN_MAJOR, m, n, doubles(a), m, doubles(tau))
                : openblas.LAPACKE_sgelqf(COLUMN_MAJOR, m, n, floats(a), m, floats(tau));
        return written(info, a, tau);
    }

    /** {@code c [m,r] = Q c} with the Q of {@link #geqrf} of a matrix [m,k]. */
    static int ormqr(int m, int r, int k, INDArray a, INDArray tau, INDArray c) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dormqr(
                        COLUMN_MAJOR, LEFT, PLAIN, m, r, k, doubles(a), m, doubles(tau), doubles(c), m)
                : openblas.LAPACKE_sormqr(COLUMN_MAJOR, LEFT, PLAIN, m, r, k, floats(a), m, floats(tau), floats(c), m);
        return written(info, a, tau, c);
    }

    /** {@code c [n,r] = Q^T c} with the Q of {@link #gelqf} of a matrix [k,n]. */
    static int ormlq(int n, int r, int k, INDArray a, INDArray tau, INDArray c) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dormlq(
                        COLUMN_MAJOR, LEFT, TRANSPOSED, n, r, k, doubles(a), k, doubles(tau), doubles(c), n)
                : openblas.LAPACKE_sormlq(
                        COLUMN_MAJOR, LEFT, TRANSPOSED, n, r, k, floats(a), k, floats(tau), floats(c), n);
        return written(info, a, tau, c);
    }

    /**
     * {@code a [m,n] = Q B P^T} with a bidiagonal B, upper if m >= n, otherwise lower, in place of which the reflectors of Q and
     * P are left.
     */
    static int gebrd(int m, int n, INDArray a, INDArray diagonal, INDArray beside, INDArray tauQ, INDArray tauP) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dgebrd(
                        COLUMN_MAJOR,
                        m,
                        n,
                        doubles(a),
                        m,
                        doubles(diagonal),
                        doubles(beside),
                        doubles(tauQ),
                        doubles(tauP))
                : openblas.LAPACKE_sgebrd(
                        COLUMN_MAJOR, m, n, floats(a), m, floats(diagonal), floats(beside), floats(tauQ), floats(tauP));
        return written(info, a, diagonal, beside, tauQ, tauP);
    }

    /** Singular values, into {@code diagonal}, and vectors of a bidiagonal matrix, by divide and conquer. */
    static int bdsdc(boolean upper, int k, INDArray diagonal, INDArray beside, INDArray u, INDArray vt) {
        byte which = upper ? UPPER : LOWER;
        int info = isDouble(u)
                ? openblas.LAPACKE_dbdsdc(
                        COLUMN_MAJOR,
                        which,
                        VECTORS,
                        k,
                        doubles(diagonal),
                        doubles(beside),
                        doubles(u),
                        k,
                        doubles(vt),
                        k,
                        (DoublePointer) null,
                        (IntPointer) null)
                : openblas.LAPACKE_sbdsdc(
                        COLUMN_MAJOR,
                        which,
                        VECTORS,
                        k,
                        floats(diagonal),
                        floats(beside),
                        floats(u),
                        k,
                        floats(vt),
                        k,
                        (FloatPointer) null,
                        (IntPointer) null);
        return written(info, diagonal, beside, u, vt);
    }

    /** {@code c [m,r] = Q c} with the Q of {@link #gebrd} of a matrix [m,n]. */
    static int ormbrQ(int m, int n, int r, INDArray a, INDArray tau, INDArray c) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dormbr(
                        COLUMN_MAJOR, OF_Q, LEFT, PLAIN, m, r, n, doubles(a), m, doubles(tau), doubles(c), m)
                : openblas.LAPACKE_sormbr(
                        COLUMN_MAJOR, OF_Q, LEFT, PLAIN, m, r, n, floats(a), m, floats(tau), floats(c), m);
        return written(info, a, tau, c);
    }

    /** {@code c [n,r] = P c} with the P of {@link #gebrd} of a matrix [m,n]. */
    static int ormbrP(int m, int n, int r, INDArray a, INDArray tau, INDArray c) {
        int info = isDouble(a)
                ? openblas.LAPACKE_dormbr(
                        COLUMN_MAJOR, OF_P, LEFT, PLAIN, n, r, m, doubles(a), m, doubles(tau), doubles(c), n)
                : openblas.LAPACKE_sormbr(
                        COLUMN_MAJOR, OF_P, LEFT, PLAIN, n, r, m, floats(a), m, floats(tau), floats(c), n);
        return written(info, a, tau, c);
    }

    /** Copies the upper ({@code 'U'}) or lower ({@code 'L'}) part of the first rows of {@code a [m,...]} into {@code to [k,n]}. */
    static void copyTriangle(char which, int m, int n, INDArray a, INDArray to) {
        int rows = Math.toIntExact(to.rows());
        if (isDouble(a)) {
            openblas.LAPACKE_dlacpy(COLUMN_MAJOR, (byte) which, rows, n, doubles(a), m, doubles(to), rows);
        } else {
            openblas.LAPACKE_slacpy(COLUMN_MAJOR, (byte) which, rows, n, floats(a), m, floats(to), rows);
        }
        written(0, a, to);
    }

    static boolean isDouble(INDArray a) {
        return a.dataType() == DataType.DOUBLE;
    }

    static FloatPointer floats(INDArray array) {
        return new FloatPointer(hostData(array).pointer());
    }

    static DoublePointer doubles(INDArray array) {
        return new DoublePointer(hostData(array).pointer());
    }

    /** The array's buffer, current on the host (on a CPU backend it always is). */
    static DataBuffer hostData(INDArray array) {
        Nd4j.getAffinityManager().ensureLocation(array, AffinityManager.Location.HOST);
        return array.data();
    }

    /** Throws what a caller can act on if LAPACK's info is not 0. */
    static void requireDone(int info, String what, long m, long n) {
        if (info == 0) {
            return;
        }
        String matrix = "the " + what + " of a matrix [" + m + ", " + n + "]";
        if (info > 0) {
            throw new ArithmeticException(matrix + " did not converge (info " + info
                    + "); use a randomised start for this layer, or exclude it");
        }
        throw new IllegalStateException(matrix + " was refused by LAPACK (info " + info
                + (info <= -1010 ? ": not enough memory; leave more memory outside the Java heap)" : ")"));
    }

    /** Tells a GPU backend that the host has the newer values, and keeps the buffers alive until here. */
    static int written(int info, INDArray... arrays) {
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
