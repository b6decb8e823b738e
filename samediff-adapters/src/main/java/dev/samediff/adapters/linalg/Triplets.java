package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Singular triplets as LAPACK leaves them: {@code left [m,r]}, {@code s [r]}, {@code right [n,r]}, column-major.
 *
 * @param excess as in {@link Decompositions.Svd}
 */
record Triplets(INDArray left, INDArray s, INDArray right, double excess) {
    /** Exact triplets. */
    Triplets(INDArray left, INDArray s, INDArray right) {
        this(left, s, right, 0);
    }

    /**
     * Returns the decomposition of the array that LAPACK read.
     *
     * @param rowMajor whether the array is row-major, which LAPACK read as its transpose
     */
    Decompositions.Svd of(boolean rowMajor) {
        return rowMajor
                ? new Decompositions.Svd(right, s, left.transpose().dup('c'), excess)
                : new Decompositions.Svd(left, s, right.transpose().dup('c'), excess);
    }
}
