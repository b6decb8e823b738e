package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Stand-in until the branch `numerics` brings the real one: take theirs when merging. */
public final class LapackDecompositions implements Decompositions {
    @Override
    public Svd svd(INDArray a) {
        int m = a.rows();
        int n = a.columns();
        int k = Math.min(m, n);
        double[] data = a.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        double[] u = new double[m * k];
        double[] s = new double[k];
        double[] vt = new double[k * n];
        int info = openblas.LAPACKE_dgesdd(openblas.LAPACK_ROW_MAJOR, (byte) 'S', m, n, data, n, s, u, k, vt, n);
        if (info != 0) {
            throw new InvalidInputException("gesdd: " + info);
        }
        DataType type = a.dataType();
        return new Svd(
                Nd4j.createFromArray(u).reshape(m, k).castTo(type),
                Nd4j.createFromArray(s).castTo(type),
                Nd4j.createFromArray(vt).reshape(k, n).castTo(type));
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        return svd(a);
    }

    @Override
    public Qr qr(INDArray a) {
        int m = a.rows();
        int n = a.columns();
        int k = Math.min(m, n);
        double[] data = a.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        double[] tau = new double[k];
        openblas.LAPACKE_dgeqrf(openblas.LAPACK_ROW_MAJOR, m, n, data, n, tau);
        double[] r = new double[k * n];
        for (int i = 0; i < k; i++) {
            for (int j = i; j < n; j++) {
                r[i * n + j] = data[i * n + j];
            }
        }
        openblas.LAPACKE_dorgqr(openblas.LAPACK_ROW_MAJOR, m, k, k, data, n, tau);
        double[] q = new double[m * k];
        for (int i = 0; i < m; i++) {
            System.arraycopy(data, i * n, q, i * k, k);
        }
        DataType type = a.dataType();
        return new Qr(
                Nd4j.createFromArray(q).reshape(m, k).castTo(type), Nd4j.createFromArray(r).reshape(k, n).castTo(type));
    }
}
