package dev.samediff.adapters;

import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The best approximation of a matrix by a product of rank r, by singular values, computed in float64: {@code A = U_r sqrt(S_r)},
 * {@code B = sqrt(S_r) V_r^T}.
 *
 * @param a A [in,r], float32
 * @param b B [r,out], float32
 * @param lost squared Frobenius norm of what is left out
 * @param all squared Frobenius norm of the matrix
 */
record LowRankTruncation(INDArray a, INDArray b, double lost, double all) {
    private static final Decompositions LINALG = new LapackDecompositions();

    /** Approximates a matrix [in,out], float64. */
    static LowRankTruncation of(INDArray matrix, int rank) {
        Decompositions.Svd svd = LINALG.svd(matrix);
        return of(svd.u(), svd.s(), svd.vt(), rank);
    }

    /** Approximates left [in,n] times right [n,out], float64, without forming the product. */
    static LowRankTruncation ofProduct(INDArray left, INDArray right, int rank) {
        Decompositions.Qr first = LINALG.qr(left);
        Decompositions.Qr second = LINALG.qr(right.transpose());
        Decompositions.Svd svd = LINALG.svd(first.r().mmul(second.r().transpose()));
        return of(first.q().mmul(svd.u()), svd.s(), svd.vt().mmul(second.q().transpose()), rank);
    }

    private static LowRankTruncation of(INDArray u, INDArray s, INDArray vt, int rank) {
        double[] values = s.toDoubleVector();
        double all = 0;
        double lost = 0;
        for (int k = 0; k < values.length; k++) {
            all += values[k] * values[k];
            lost += k < rank ? 0 : values[k] * values[k];
        }
        int in = Math.toIntExact(u.size(0));
        int out = Math.toIntExact(vt.size(1));
        INDArray a = Nd4j.zeros(DataType.DOUBLE, in, rank); // a product of fewer than rank is padded
        INDArray b = Nd4j.zeros(DataType.DOUBLE, rank, out);
        for (int k = 0; k < Math.min(rank, values.length); k++) {
            double root = Math.sqrt(values[k]);
            a.get(NDArrayIndex.all(), NDArrayIndex.point(k))
                    .assign(u.getColumn(k).mul(root));
            b.get(NDArrayIndex.point(k), NDArrayIndex.all()).assign(vt.getRow(k).mul(root));
        }
        return new LowRankTruncation(a.castTo(DataType.FLOAT), b.castTo(DataType.FLOAT), lost, all);
    }
}
