package dev.samediff.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.core.Linear;
import java.util.List;

/** {@code y = x W + b + x A diag(S) B} with W the residual; LoRA has no S, and its W is the weight itself. */
final class AdaptedLinear {
    private final NDArray weight;
    private final NDArray bias;
    private final List<NDArray> factors;

    /**
     * @param weight [in,out]
     * @param bias [out], or null
     * @param factors A [in,r], S [r] (SORSA only), B [r,out]
     */
    AdaptedLinear(NDArray weight, NDArray bias, List<NDArray> factors) {
        if (factors.size() == 3) {
            weight.subi(factors.get(0).mul(factors.get(1)).matMul(factors.get(2)));
        }
        this.weight = weight.transpose().mul(1); // [out,in], as torch's linear wants it; mul makes it contiguous
        weight.close();
        this.bias = bias;
        this.factors = factors;
        factors.forEach(factor -> factor.setRequiresGradient(true));
    }

    NDArray forward(NDArray x) {
        NDArray y = Linear.linear(x, weight, bias).singletonOrThrow();
        NDArray hidden = x.matMul(factors.get(0));
        if (factors.size() == 3) {
            hidden = hidden.mul(factors.get(1));
        }
        return y.addi(hidden.matMul(last()));
    }

    List<NDArray> factors() {
        return factors;
    }

    /** Adds the gradient of coefficient (||A^T A - I||^2 + ||B B^T - I||^2). */
    void addPenaltyGradient(double coefficient) {
        NDArray left = factors.get(0);
        NDArray right = last();
        NDArray identity = left.getManager().eye((int) left.getShape().get(1));
        left.getGradient()
                .addi(left.matMul(left.transpose().matMul(left).subi(identity)).muli(4 * coefficient));
        right.getGradient()
                .addi(right.matMul(right.transpose()).subi(identity).matMul(right).muli(4 * coefficient));
    }

    private NDArray last() {
        return factors.get(factors.size() - 1);
    }
}
