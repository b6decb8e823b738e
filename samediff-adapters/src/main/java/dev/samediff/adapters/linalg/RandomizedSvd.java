package dev.samediff.adapters.linalg;

import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1). The test matrix has as many rows as
 * the shorter side of the matrix. All arrays but the matrix are panels of some 24 columns, so that nearly all of the time goes
 * into products of the matrix with a panel, {@code 2 iterations + 2} of them.
 */
final class RandomizedSvd {
    /** Test vectors beyond the rank, at least; Halko et al. recommend 5 to 10. */
    private static final int OVERSAMPLING = 5;

    /** OpenBLAS multiplies panels of this many columns and of its multiples faster than of numbers between them. */
    private static final int STEP = 8;

    private static final double SCALE = 1 / Math.sqrt(12 + 1.0 / 12);

    private final INDArray a;
    private final boolean tall;
    private final int longSide;
    private final int shortSide;
    private final int width;
    private final INDArray lying;

    /**
     * @param m rows
     * @param n columns
     * @param a contiguous, read as column-major; not modified
     * @param rank number of triplets, not {@link #isWhole}
     */
    RandomizedSvd(int m, int n, INDArray a, int rank) {
        this.a = a;
        this.tall = m >= n;
        this.longSide = Math.max(m, n);
        this.shortSide = Math.min(m, n);
        this.width = width(rank);
        this.lying = Nd4j.createUninitialized(a.dataType(), new long[] {width, n}, 'f');
    }

    private static int width(int rank) {
        return (rank + OVERSAMPLING + STEP - 1) / STEP * STEP;
    }

    /** Whether the subspace would be everything: the exact decomposition costs no more. */
    static boolean isWhole(INDArray a, int rank) {
        return width(rank) >= Math.min(a.rows(), a.columns());
    }

    Triplets compute(int rank, int iterations, long seed) {
        INDArray across = panel(longSide);
        INDArray along = gaussian(shortSide, width, a.dataType(), seed);
        Convergence captured = new Convergence();
        toLong(along, across);
        orthonormalise(longSide, across);
        for (int i = 0; i < iterations; i++) {
            toShort(across, along);
            captured.add(Blas.sumOfSquares(along));
            orthonormalise(shortSide, along);
            toLong(along, across);
            captured.add(Blas.sumOfSquares(across));
            orthonormalise(longSide, across);
        }
        toShort(across, along);
        captured.add(Blas.sumOfSquares(along));
        return triplets(across, along, rank, captured);
    }

    /** From {@code along = A^T Q}, whose decomposition has A's short vectors and, in the basis Q, its long ones. */
    private Triplets triplets(INDArray across, INDArray along, int rank, Convergence captured) {
        INDArray vectors = panel(shortSide);
        INDArray s = Nd4j.createUninitialized(a.dataType(), new long[] {width}, 'c');
        INDArray inBasis = panel(width);
        Lapack.requireDone(
                Lapack.gesdd(shortSide, width, along, vectors, s, inBasis),
                "singular value decomposition (gesdd)",
                shortSide,
                width);
        INDArray turned = panel(longSide);
        Blas.gemm(false, true, longSide, width, width, across, inBasis, turned);
        INDArray longVectors = Leading.columns(turned, rank);
        INDArray shortVectors = Leading.columns(vectors, rank);
        INDArray values = s.get(NDArrayIndex.interval(0, rank)).dup();
        double excess = captured.excess(Blas.sumOfSquares(a), Blas.sumOfSquares(values));
        return tall
                ? new Triplets(longVectors, values, shortVectors, excess)
                : new Triplets(shortVectors, values, longVectors, excess);
    }

    private void toLong(INDArray along, INDArray across) {
        multiply(!tall, longSide, shortSide, along, across);
    }

    private void toShort(INDArray across, INDArray along) {
        multiply(tall, shortSide, longSide, across, along);
    }

    /** {@code to [rows,width] = op(a) from}; the transpose of the result is faster to compute where a is transposed. */
    private void multiply(boolean transpose, int rows, int inner, INDArray from, INDArray to) {
        if (transpose) {
            Blas.gemm(true, false, width, rows, inner, from, a, lying);
            Blas.transpose(width, rows, lying, to);
        } else {
            Blas.gemm(false, false, rows, width, inner, a, from, to);
        }
    }

    /** An orthonormal basis of the panel's columns, in place. */
    private void orthonormalise(int rows, INDArray panel) {
        INDArray tau = Nd4j.createUninitialized(a.dataType(), new long[] {width}, 'c');
        Lapack.requireDone(Lapack.geqrf(rows, width, panel, tau), "QR decomposition (geqrf)", rows, width);
        Lapack.requireDone(Lapack.orgqr(rows, width, panel, tau), "QR decomposition (orgqr)", rows, width);
    }

    private INDArray panel(int rows) {
        return Nd4j.createUninitialized(a.dataType(), new long[] {rows, width}, 'f');
    }

    /**
     * Independent numbers of mean 0 and variance 1 that are normal to within 1 %, column-major: of the 64 bits of a random
     * number 48 are counted and the others fill the steps between counts. The same on every platform and Java version.
     */
    static INDArray gaussian(long rows, int columns, DataType type, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[Math.toIntExact(rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = normal(random.nextLong());
        }
        INDArray numbers = Nd4j.createFromArray(values).castTo(type);
        return numbers.reshape('f', rows, columns);
    }

    /** The count has mean 24 and variance 12, the part of a step 1/2 and 1/12. */
    private static float normal(long bits) {
        int ones = Long.bitCount(bits >>> 16);
        double step = (bits & 0xFFFF) * 0x1p-16;
        return (float) ((ones + step - 24.5) * SCALE);
    }
}
