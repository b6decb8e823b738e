package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How far the columns of a matrix are from orthonormal. */
public final class Orthonormality {
    private Orthonormality() {}

    /**
     * Returns {@code ||Q^T Q - I||_F}, computed in float64; 0 for exactly orthonormal columns.
     *
     * @param q matrix [m,n]
     */
    public static double deviation(INDArray q) {
        INDArray wide = q.castTo(DataType.DOUBLE);
        INDArray gram = wide.transpose().mmul(wide);
        return gram.subi(Nd4j.eye(q.size(1)).castTo(DataType.DOUBLE))
                .norm2Number()
                .doubleValue();
    }
}
