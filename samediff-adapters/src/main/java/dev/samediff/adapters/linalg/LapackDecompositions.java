package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Decompositions by LAPACKE of the OpenBLAS that ND4J itself computes with, on the host also when ND4J runs on a GPU.
 *
 * <p>The input is copied once, in its own order. A row-major matrix is handed to LAPACK as its transpose, whose left
 * vectors are the matrix's right ones, so that nothing is transposed on the way in or out. Stateless and thread-safe.
 */
public final class LapackDecompositions implements Decompositions {
    private final Lapack.SvdRoutine first;
    private final Lapack.SvdRoutine second;

    /** Creates decompositions by gesdd, by gesvd where gesdd does not converge. */
    public LapackDecompositions() {
        this(Lapack::gesdd, Lapack::gesvd);
    }

    LapackDecompositions(Lapack.SvdRoutine first, Lapack.SvdRoutine second) {
        this.first = first;
        this.second = second;
    }

    @Override
    public Svd svd(INDArray a) {
        MatrixCheck.requireMatrix(a);
        INDArray copy = a.dup(order(a));
        MatrixCheck.requireFinite(copy);
        boolean rowMajor = order(a) == 'c';
        int m = (int) a.rows();
        int n = (int) a.columns();
        int k = Math.min(m, n);
        INDArray u = Nd4j.createUninitialized(a.dataType(), new long[] {m, k}, order(a));
        INDArray s = Nd4j.createUninitialized(a.dataType(), new long[] {k}, 'c');
        INDArray vt = Nd4j.createUninitialized(a.dataType(), new long[] {k, n}, order(a));
        int info = run(first, rowMajor, m, n, copy, u, s, vt);
        if (info > 0) { // the copy is destroyed by now
            info = run(second, rowMajor, m, n, a.dup(order(a)), u, s, vt);
        }
        requireDone(info, "singular value decomposition (gesdd, then gesvd)", a);
        return new Svd(u, s, vt);
    }

    private static int run(
            Lapack.SvdRoutine routine,
            boolean rowMajor,
            int m,
            int n,
            INDArray copy,
            INDArray u,
            INDArray s,
            INDArray vt) {
        return rowMajor ? routine.run(n, m, copy, vt, s, u) : routine.run(m, n, copy, u, s, vt);
    }

    @Override
    public Qr qr(INDArray a) {
        MatrixCheck.requireMatrix(a);
        INDArray copy = a.dup('f');
        MatrixCheck.requireFinite(copy);
        int m = (int) a.rows();
        int n = (int) a.columns();
        int k = Math.min(m, n);
        INDArray tau = Nd4j.createUninitialized(a.dataType(), new long[] {k}, 'c');
        requireDone(Lapack.geqrf(m, n, copy, tau), "QR decomposition (geqrf)", a);
        INDArray r = upperTriangle(copy, k);
        INDArray q = n == k ? copy : columns(copy, k).dup('f');
        requireDone(Lapack.orgqr(m, k, q, tau), "QR decomposition (orgqr)", a);
        return new Qr(q, r);
    }

    /** The orthonormal factor alone, in place. */
    INDArray orthonormalise(INDArray tall) {
        MatrixCheck.requireFinite(tall);
        int m = (int) tall.rows();
        int n = (int) tall.columns();
        INDArray tau = Nd4j.createUninitialized(tall.dataType(), new long[] {n}, 'c');
        requireDone(Lapack.geqrf(m, n, tall, tau), "QR decomposition (geqrf)", tall);
        requireDone(Lapack.orgqr(m, n, tall, tau), "QR decomposition (orgqr)", tall);
        return tall;
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        MatrixCheck.requireMatrix(a);
        long k = Math.min(a.rows(), a.columns());
        if (rank < 1 || rank > k) {
            throw new InvalidInputException("rank " + rank + " of a randomised decomposition does not fit a matrix "
                    + Arrays.toString(a.shape()) + "; expected 1 to " + k);
        }
        if (iterations < 0) {
            throw new InvalidInputException(
                    "a randomised decomposition cannot have " + iterations + " power iterations; 4 to 16 are usual");
        }
        INDArray copy = a.dup(order(a)); // GEMM needs it contiguous, and a view may have any stride
        MatrixCheck.requireFinite(copy);
        return new RandomizedSvd(this).compute(copy, rank, iterations, seed);
    }

    private static char order(INDArray a) {
        return a.ordering() == 'f' ? 'f' : 'c';
    }

    private static INDArray columns(INDArray a, int k) {
        return a.get(NDArrayIndex.all(), NDArrayIndex.interval(0, k));
    }

    private static INDArray upperTriangle(INDArray a, int k) {
        INDArray r = a.get(NDArrayIndex.interval(0, k), NDArrayIndex.all()).dup('f');
        for (int column = 0; column < k - 1; column++) {
            r.get(NDArrayIndex.interval(column + 1, k), NDArrayIndex.point(column))
                    .assign(0);
        }
        return r;
    }

    private static void requireDone(int info, String what, INDArray a) {
        if (info == 0) {
            return;
        }
        String matrix = "the " + what + " of a matrix " + Arrays.toString(a.shape());
        if (info > 0) {
            throw new ArithmeticException(matrix + " did not converge (info " + info
                    + "); use a randomised start for this" + " layer, or exclude it");
        }
        throw new IllegalStateException(matrix + " was refused by LAPACK (info " + info
                + (info <= -1010 ? ": not enough memory; leave more memory outside the Java heap)" : ")"));
    }
}
