package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Singular triplets as LAPACK leaves them: {@code left [m,r]}, {@code s [r]}, {@code right [n,r]}, column-major. */
record Triplets(INDArray left, INDArray s, INDArray right) {
    /**
     * Returns the decomposition of the array that LAPACK read.
     *
     * @param rowMajor whether the array is row-major, which LAPACK read as its transpose
     */
    Decompositions.Svd of(boolean rowMajor) {
        return rowMajor
                ? new Decompositions.Svd(right, s, left.transpose().dup('c'))
                : new Decompositions.Svd(left, s, right.transpose().dup('c'));
    }
}
