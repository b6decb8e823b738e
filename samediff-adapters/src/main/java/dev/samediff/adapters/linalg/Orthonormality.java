package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How far vectors are from being orthonormal, in the Frobenius norm, computed in float64. */
public final class Orthonormality {
    private Orthonormality() {}

    /**
     * Returns {@code ||Q^T Q - I||_F} (not squared); 0 for orthonormal columns.
     *
     * @param q matrix [m,k]; not modified
     */
    public static double ofColumns(INDArray q) {
        INDArray d = q.castTo(DataType.DOUBLE);
        INDArray gram = d.transpose().mmul(d);
        return gram.sub(Nd4j.eye(gram.rows()).castTo(DataType.DOUBLE))
                .norm2Number()
                .doubleValue();
    }

    /**
     * Returns {@code ||Q Q^T - I||_F} (not squared); 0 for orthonormal rows.
     *
     * @param q matrix [k,n]; not modified
     */
    public static double ofRows(INDArray q) {
        return ofColumns(q.transpose());
    }
}
