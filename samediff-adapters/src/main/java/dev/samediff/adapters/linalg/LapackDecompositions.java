package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import java.util.Optional;
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
    private final LeadingRoutine leading;

    /** Creates decompositions by gesdd, by gesvd where gesdd does not converge. */
    public LapackDecompositions() {
        this(Lapack::gesdd, Lapack::gesvd, LeadingSvd::compute);
    }

    LapackDecompositions(Lapack.SvdRoutine first, Lapack.SvdRoutine second, LeadingRoutine leading) {
        this.first = first;
        this.second = second;
        this.leading = leading;
    }

    /** Computes leading triplets, or nothing where it does not converge. */
    @FunctionalInterface
    interface LeadingRoutine {
        Optional<Triplets> compute(int m, int n, INDArray a, int rank);
    }

    @Override
    public Svd svd(INDArray a) {
        MatrixCheck.requireMatrix(a);
        INDArray copy = Contiguous.copy(a);
        MatrixCheck.requireFinite(copy);
        boolean rowMajor = Contiguous.isRowMajor(a);
        int m = (int) a.rows();
        int n = (int) a.columns();
        int k = Math.min(m, n);
        INDArray u = Nd4j.createUninitialized(a.dataType(), new long[] {m, k}, Contiguous.order(a));
        INDArray s = Nd4j.createUninitialized(a.dataType(), new long[] {k}, 'c');
        INDArray vt = Nd4j.createUninitialized(a.dataType(), new long[] {k, n}, Contiguous.order(a));
        int info = run(first, rowMajor, m, n, copy, u, s, vt);
        if (info > 0) { // the copy is destroyed by now
            info = run(second, rowMajor, m, n, Contiguous.copy(a), u, s, vt);
        }
        Lapack.requireDone(info, "singular value decomposition (gesdd, then gesvd)", m, n);
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
        Lapack.requireDone(Lapack.geqrf(m, n, copy, tau), "QR decomposition (geqrf)", m, n);
        INDArray r = upperTriangle(copy, k);
        INDArray q = n == k ? copy : columns(copy, k).dup('f');
        Lapack.requireDone(Lapack.orgqr(m, k, q, tau), "QR decomposition (orgqr)", m, n);
        return new Qr(q, r);
    }

    /** Reflectors of the first {@code rank} columns only: 4 m n rank operations instead of those of all columns. */
    @Override
    public Qr qr(INDArray a, int rank) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        int m = (int) a.rows();
        int n = (int) a.columns();
        if (rank == Math.min(m, n)) {
            return qr(a).leading(rank);
        }
        MatrixCheck.requireFinite(Contiguous.of(a));
        INDArray q = columns(a, rank).dup('f');
        INDArray tau = Nd4j.createUninitialized(a.dataType(), new long[] {rank}, 'c');
        Lapack.requireDone(Lapack.geqrf(m, rank, q, tau), "QR decomposition (geqrf)", m, rank);
        INDArray r = Nd4j.createUninitialized(a.dataType(), new long[] {rank, n}, 'c');
        columns(r, rank).assign(upperTriangle(q, rank));
        Lapack.requireDone(Lapack.orgqr(m, rank, q, tau), "QR decomposition (orgqr)", m, rank);
        INDArray behind = a.get(NDArrayIndex.all(), NDArrayIndex.interval(rank, n)); // some: rank is below n
        r.get(NDArrayIndex.all(), NDArrayIndex.interval(rank, n))
                .assign(q.transpose().mmul(behind));
        return new Qr(q.dup('c'), r);
    }

    @Override
    public Svd svd(INDArray a, int rank) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        INDArray copy = Contiguous.copy(a);
        MatrixCheck.requireFinite(copy);
        if (!MatrixCheck.isModerate(copy)) {
            return svd(a).leading(rank);
        }
        boolean rowMajor = Contiguous.isRowMajor(a);
        int m = (int) (rowMajor ? a.columns() : a.rows());
        int n = (int) (rowMajor ? a.rows() : a.columns());
        return leading.compute(m, n, copy, rank)
                .map(triplets -> triplets.of(rowMajor))
                .orElseGet(() -> svd(a).leading(rank));
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        if (iterations < 0) {
            throw new InvalidInputException(
                    "a randomised decomposition cannot have " + iterations + " power iterations; 4 to 16 are usual");
        }
        INDArray contiguous = Contiguous.of(a);
        MatrixCheck.requireFinite(contiguous);
        if (RandomizedSvd.isWhole(a, rank) || !MatrixCheck.isModerate(contiguous)) {
            return svd(a, rank);
        }
        boolean rowMajor = Contiguous.isRowMajor(a);
        int m = (int) (rowMajor ? a.columns() : a.rows());
        int n = (int) (rowMajor ? a.rows() : a.columns());
        return new RandomizedSvd(m, n, contiguous, rank)
                .compute(rank, iterations, seed)
                .of(rowMajor);
    }

    private static INDArray columns(INDArray a, int k) {
        return a.get(NDArrayIndex.all(), NDArrayIndex.interval(0, k));
    }

    private static INDArray upperTriangle(INDArray a, int k) {
        int n = (int) a.columns();
        INDArray r = Nd4j.create(a.dataType(), new long[] {k, n}, 'f');
        Lapack.copyTriangle('U', (int) a.rows(), n, a, r);
        return r;
    }
}
