package dev.samediff.adapters.method;

import dev.samediff.adapters.LayerUse;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The branch that SORSA and AdaLoRA share: {@code y = base + ((x A) (s w)) B} with A [in,r], w [r] and B [r,out].
 *
 * @param a short name of A
 * @param weights short name of w
 * @param b short name of B
 */
record WeightedProduct(String a, String weights, String b) {
    /** The products of rank r; the dense product is never formed. */
    SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        SameDiff graph = use.input().graph();
        SDVariable down = use.input().times(prefix + "down", LowRank.get(trainables, a));
        SDVariable factors = LowRank.get(trainables, weights).mul(prefix + "weights", scaling);
        SDVariable scaled = down.mul(prefix + "scaled", factors);
        SDVariable up = graph.mmul(prefix + "up", scaled, LowRank.get(trainables, b));
        return use.base().add(prefix + "sum", up);
    }

    /** s A diag(w) B in float64. */
    INDArray delta(Map<String, INDArray> trainables, double scaling) {
        INDArray weighted = LowRank.doubles(LowRank.get(trainables, a))
                .mulRowVector(
                        LowRank.doubles(LowRank.get(trainables, weights)).mul(scaling)); // w itself if it is float64
        return LowRank.product(weighted, LowRank.doubles(LowRank.get(trainables, b)));
    }

    /**
     * With G = dL/d(delta), {@code P = G B^T [in,r]} and {@code Q = A^T G [r,out]}: {@code dL/dA = s P diag(w)}, {@code dL/dw =
     * s colsum(A * P)}, {@code dL/dB = s diag(w) Q}.
     */
    Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        INDArray left = LowRank.get(trainables, a);
        INDArray middle = LowRank.get(trainables, weights);
        INDArray p = ofDelta.mmul(LowRank.get(trainables, b).transpose()).muli(scaling);
        INDArray q = left.transpose().mmul(ofDelta).muli(scaling);
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        gradients.put(a, p.mulRowVector(middle));
        gradients.put(weights, left.mul(p).sum(0).reshape(middle.shape()));
        gradients.put(b, q.mulColumnVector(middle));
        return gradients;
    }
}
