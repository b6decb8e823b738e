package dev.samediff.adapters.linalg;

import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1) with {@link #OVERSAMPLING}
 * columns more than asked for. Works on the transpose if that has fewer columns.
 */
final class RandomizedSvd {
    /** Test vectors beyond the rank; Halko et al. recommend 5 to 10. */
    static final int OVERSAMPLING = 10;

    private final LapackDecompositions lapack;

    RandomizedSvd(LapackDecompositions lapack) {
        this.lapack = lapack;
    }

    Decompositions.Svd compute(INDArray a, int rank, int iterations, long seed) {
        long small = Math.min(a.rows(), a.columns());
        int width = (int) Math.min(small, (long) rank + OVERSAMPLING);
        if (width == small) { // the subspace would be everything: the exact decomposition costs no more
            return lapack.svd(a, rank);
        }
        if (a.rows() < a.columns()) {
            Decompositions.Svd t = tall(a.transpose(), rank, width, iterations, seed);
            return new Decompositions.Svd(
                    t.vt().transpose().dup('c'), t.s(), t.u().transpose().dup('c'));
        }
        return tall(a, rank, width, iterations, seed);
    }

    private Decompositions.Svd tall(INDArray a, int rank, int width, int iterations, long seed) {
        INDArray transposed = a.transpose();
        INDArray q = basis(a, gaussian(a.columns(), width, a.dataType(), seed));
        for (int i = 0; i < iterations; i++) {
            q = basis(transposed, q);
            q = basis(a, q);
        }
        Decompositions.Svd small = lapack.svd(q.transpose().mmul(a));
        return new Decompositions.Svd(q.mmul(small.u()), small.s(), small.vt()).leading(rank);
    }

    /** An orthonormal basis of the columns of {@code a q}. */
    private INDArray basis(INDArray a, INDArray q) {
        INDArray product = Nd4j.createUninitialized(a.dataType(), new long[] {a.rows(), q.columns()}, 'f');
        return lapack.orthonormalise(a.mmuli(q, product));
    }

    /** Standard normal numbers by Marsaglia's polar method: the same on every platform and Java version. */
    static INDArray gaussian(long rows, int columns, DataType type, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        double[] values = new double[Math.toIntExact(rows * columns)];
        for (int i = 0; i < values.length; i += 2) {
            double x;
            double y;
            double r2;
            do {
                x = 2 * random.nextDouble() - 1;
                y = 2 * random.nextDouble() - 1;
                r2 = x * x + y * y;
            } while (r2 >= 1 || r2 == 0);
            double scale = StrictMath.sqrt(-2 * StrictMath.log(r2) / r2);
            values[i] = x * scale;
            if (i + 1 < values.length) {
                values[i + 1] = y * scale;
            }
        }
        return Nd4j.createFromArray(values).reshape(rows, columns).castTo(type);
    }
}
