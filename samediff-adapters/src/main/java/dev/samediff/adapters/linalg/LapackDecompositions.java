package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Decompositions by LAPACK through OpenBLAS, on the host whatever the ND4J backend. Each call copies its input once into
 * column-major memory, where LAPACK works without transposing.
 */
public final class LapackDecompositions implements Decompositions {
    /** Columns of the random test matrix beyond the rank asked for (Halko, Martinsson, Tropp 2011, section 4.2). */
    private static final int OVERSAMPLING = 10;

    @Override
    public Svd svd(INDArray a) {
        INDArray work = columnMajorCopy(a);
        int m = Math.toIntExact(a.size(0));
        int n = Math.toIntExact(a.size(1));
        int k = Math.min(m, n);
        INDArray u = Nd4j.createUninitialized(a.dataType(), new long[] {m, k}, 'f');
        INDArray s = Nd4j.createUninitialized(a.dataType(), k);
        INDArray vt = Nd4j.createUninitialized(a.dataType(), new long[] {k, n}, 'f');
        if (Lapacke.gesdd(m, n, work, s, u, vt) > 0) { // did not converge: the slower, more robust algorithm
            int info = Lapacke.gesvd(m, n, columnMajorCopy(a), s, u, vt);
            if (info > 0) {
                throw new ArithmeticException("the singular value decomposition of a [" + m + "," + n
                        + "] matrix did not converge (LAPACK gesvd, info " + info + ")");
            }
        }
        return new Svd(u, s, vt);
    }

    @Override
    public Qr qr(INDArray a) {
        INDArray work = columnMajorCopy(a);
        int m = Math.toIntExact(a.size(0));
        int n = Math.toIntExact(a.size(1));
        int k = Math.min(m, n);
        INDArray tau = Nd4j.createUninitialized(a.dataType(), k);
        Lapacke.geqrf(m, n, work, tau);
        INDArray r = upperTriangle(work, k, n);
        Lapacke.orgqr(m, k, work, tau); // overwrites the first k columns, which hold the reflectors
        INDArray q = n == k
                ? work
                : work.get(NDArrayIndex.all(), NDArrayIndex.interval(0, k)).dup('f');
        return new Qr(q, r);
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        requireMatrix(a);
        long smaller = Math.min(a.size(0), a.size(1));
        if (rank < 1 || rank > smaller || iterations < 0) {
            throw new InvalidInputException("a randomised decomposition of a [" + a.size(0) + "," + a.size(1)
                    + "] matrix needs a rank between 1 and " + smaller + " and 0 or more iterations, not rank " + rank
                    + " and " + iterations + " iterations");
        }
        if (a.size(0) < a.size(1)) { // work on the tall side
            Svd t = randomizedSvd(a.transpose(), rank, iterations, seed);
            return new Svd(t.vt().transpose(), t.s(), t.u().transpose());
        }
        requireFinite(a);
        int columns = (int) Math.min(smaller, rank + (long) OVERSAMPLING);
        INDArray at = a.transpose();
        INDArray basis = orthonormal(product(a, gaussian(a.size(1), columns, a.dataType(), seed)));
        for (int i = 0; i < iterations; i++) {
            basis = orthonormal(product(a, orthonormal(product(at, basis))));
        }
        Svd small = svd(product(basis.transpose(), a));
        INDArray u = product(basis, small.u());
        return new Svd(
                u.get(NDArrayIndex.all(), NDArrayIndex.interval(0, rank)).dup('f'),
                small.s().get(NDArrayIndex.interval(0, rank)).dup(),
                small.vt()
                        .get(NDArrayIndex.interval(0, rank), NDArrayIndex.all())
                        .dup('f'));
    }

    private INDArray orthonormal(INDArray tall) {
        return qr(tall).q();
    }

    /** GEMM into a column-major result: ND4J's path into row-major results runs at half the speed. */
    private static INDArray product(INDArray a, INDArray b) {
        return a.mmuli(b, Nd4j.createUninitialized(a.dataType(), new long[] {a.size(0), b.size(1)}, 'f'));
    }

    private static INDArray gaussian(long rows, long columns, DataType type, long seed) {
        java.util.Random random = new java.util.Random(seed);
        double[] values = new double[Math.toIntExact(rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextGaussian();
        }
        return Nd4j.createFromArray(values).reshape(rows, columns).castTo(type);
    }

    private static INDArray upperTriangle(INDArray factored, int k, int n) {
        INDArray r = Nd4j.zeros(factored.dataType(), k, n);
        for (int i = 0; i < k; i++) {
            r.get(NDArrayIndex.point(i), NDArrayIndex.interval(i, n))
                    .assign(factored.get(NDArrayIndex.point(i), NDArrayIndex.interval(i, n)));
        }
        return r;
    }

    private static INDArray columnMajorCopy(INDArray a) {
        requireMatrix(a);
        requireFinite(a);
        INDArray copy = Nd4j.createUninitialized(a.dataType(), new long[] {a.size(0), a.size(1)}, 'f');
        return copy.assign(a);
    }

    private static void requireMatrix(INDArray a) {
        if (a.rank() != 2
                || a.isEmpty()
                || !a.isR()
                || a.dataType() == DataType.HALF
                || a.dataType() == DataType.BFLOAT16) {
            throw new InvalidInputException("only a non-empty float32 or float64 matrix can be decomposed, not "
                    + a.dataType() + " " + java.util.Arrays.toString(a.shape()));
        }
    }

    private static void requireFinite(INDArray a) {
        // The largest magnitude is NaN or infinite exactly when some element is.
        double largest = a.amaxNumber().doubleValue();
        double sum = a.sumNumber().doubleValue();
        if (!Double.isFinite(largest) || Double.isNaN(sum)) {
            throw new InvalidInputException("a matrix " + java.util.Arrays.toString(a.shape())
                    + " with a value that is not finite (NaN or infinity) cannot be decomposed");
        }
    }
}
