package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Matrix decompositions on the host. Inputs are float32 or float64 matrices in any order or view, are not modified, and
 * must be finite; results have the input's data type.
 */
public interface Decompositions {
    /**
     * Thin singular value decomposition {@code a = u diag(s) vt}, k = min(m, n), singular values descending (LAPACK
     * gesdd).
     *
     * @param a matrix [m,n]
     * @throws dev.samediff.adapters.InvalidInputException if {@code a} has a value that is not finite
     */
    Svd svd(INDArray a);

    /**
     * The leading singular triplets of the exact decomposition: those of {@link #svd(INDArray)}, signs included, up to
     * rounding; bit for bit the same whatever the rank.
     *
     * @param a matrix [m,n]
     * @param rank number of triplets, 1 to min(m, n)
     */
    default Svd svd(INDArray a, int rank) {
        return svd(a).leading(rank);
    }

    /**
     * The leading singular triplets by randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4),
     * with oversampling. Equal matrices in one memory order give the same bits for one seed; another order gives the same
     * up to rounding.
     *
     * @param a matrix [m,n]
     * @param rank number of triplets, at most min(m, n)
     * @param iterations power iterations, each re-orthonormalised
     * @param seed seed of the Gaussian test matrix
     */
    Svd randomizedSvd(INDArray a, int rank, int iterations, long seed);

    /**
     * Reduced QR decomposition {@code a = q r}, k = min(m, n) (LAPACK geqrf and orgqr); signs are LAPACK's.
     *
     * @param a matrix [m,n]
     */
    Qr qr(INDArray a);

    /**
     * The first columns of Q and the first rows of R: those of {@link #qr(INDArray)}, signs included, up to rounding.
     *
     * @param a matrix [m,n]
     * @param rank number of columns and rows, 1 to min(m, n)
     */
    default Qr qr(INDArray a, int rank) {
        return qr(a).leading(rank);
    }

    /**
     * Singular value decomposition: {@code u [m,k]}, {@code s [k]} descending, {@code vt [k,n]}.
     *
     * @param excess how much larger the rest {@code ||a - u diag(s) vt||_F} is than the smallest that rank k allows (Eckart and
     *     Young 1936), as a share of that: 0.01 is one per cent. 0 of an exact decomposition; of a randomised one estimated from how
     *     the subspace's share of the matrix grew with the last iterations
     */
    record Svd(INDArray u, INDArray s, INDArray vt, double excess) {
        /** An exact decomposition. */
        public Svd(INDArray u, INDArray s, INDArray vt) {
            this(u, s, vt, 0);
        }

        /** Returns copies of the first {@code rank} triplets. */
        public Svd leading(int rank) {
            return new Svd(
                    Leading.columns(u, rank),
                    s.get(NDArrayIndex.interval(0, rank)).dup('c'),
                    Leading.rows(vt, rank),
                    excess);
        }
    }

    /** QR decomposition: {@code q [m,k]} with orthonormal columns, {@code r [k,n]} upper triangular. */
    record Qr(INDArray q, INDArray r) {
        /** Returns copies of the first {@code rank} columns of Q and rows of R. */
        public Qr leading(int rank) {
            return new Qr(Leading.columns(q, rank), Leading.rows(r, rank));
        }
    }
}
