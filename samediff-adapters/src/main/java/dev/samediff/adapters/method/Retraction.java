package dev.samediff.adapters.method;

import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes the vectors of SORSA orthonormal again at given updates: the QR retraction of the Stiefel manifold (Absil, Mahony and Sepulchre
 * 2008, example 4.1.3), {@code A = Q R} with a positive diagonal of R, and A becomes Q; so do B's rows. The weight changes by what
 * R differs from the identity, which the regulariser keeps small.
 */
final class Retraction implements AfterStep {
    private static final Decompositions LINALG = new LapackDecompositions();

    private final int interval;
    private final String left;
    private final String right;

    /**
     * @param interval updates from one to the next
     * @param left short name of the tensor with orthonormal columns [in,r]
     * @param right short name of the tensor with orthonormal rows [r,out]
     */
    Retraction(int interval, String left, String right) {
        this.interval = interval;
        this.left = left;
        this.right = right;
    }

    @Override
    public void begin(int updates) {}

    @Override
    public void updated(int update, List<Layer> layers) {
        if (update % interval != 0) {
            return;
        }
        for (Layer layer : layers) {
            retract(LowRank.get(layer.values(), left), true);
            retract(LowRank.get(layer.values(), right), false);
        }
    }

    private static void retract(INDArray tensor, boolean columns) {
        if (tensor.rank() == 3) { // experts
            for (long expert = 0; expert < tensor.size(0); expert++) {
                retract(tensor.slice(expert), columns);
            }
            return;
        }
        INDArray matrix = (columns ? tensor : tensor.transpose()).castTo(DataType.DOUBLE);
        Decompositions.Qr qr = LINALG.qr(matrix);
        INDArray q = qr.q();
        for (int k = 0; k < q.size(1); k++) {
            if (qr.r().getDouble(k, k) < 0) {
                q.getColumn(k).negi();
            }
        }
        tensor.assign(columns ? q : q.transpose());
    }

    @Override
    public Map<String, INDArray> state() {
        return Map.of();
    }

    @Override
    public void restore(Map<String, INDArray> state) {}
}
