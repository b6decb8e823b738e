package dev.samediff.adapters.train;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdamW (Loshchilov and Hutter 2019) as PyTorch defines it, for parameters p with gradient g at step t = 1, 2, ...:
 *
 * <pre>
 * p = p (1 - lr wd)
 * m = b1 m + (1 - b1) g
 * v = b2 v + (1 - b2) g^2
 * p = p - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 * </pre>
 *
 * <p>ND4J's Adam puts eps inside the bias correction and has no decoupled weight decay. Moments are kept on the host.
 */
public final class AdamW {
    private final float beta1;
    private final float beta2;
    private final double beta1Exact;
    private final double beta2Exact;
    private final float epsilon;
    private final double weightDecay;
    private final List<float[]> first = new ArrayList<>();
    private final List<float[]> second = new ArrayList<>();
    private long steps;

    /**
     * Creates an optimizer without state.
     *
     * @param beta1 decay of the mean of gradients
     * @param beta2 decay of the mean of squared gradients
     * @param epsilon added to the root
     * @param weightDecay decoupled weight decay
     */
    public AdamW(double beta1, double beta2, double epsilon, double weightDecay) {
        this.beta1Exact = beta1;
        this.beta2Exact = beta2;
        this.beta1 = (float) beta1;
        this.beta2 = (float) beta2;
        this.epsilon = (float) epsilon;
        this.weightDecay = weightDecay;
    }

    /**
     * Updates parameters in place; always the same parameters in the same order.
     *
     * @param parameters float32 arrays
     * @param gradients their gradients in row-major order
     * @param learningRate lr
     */
    public void update(List<INDArray> parameters, List<float[]> gradients, double learningRate) {
        if (first.isEmpty()) {
            for (float[] gradient : gradients) {
                first.add(new float[gradient.length]);
                second.add(new float[gradient.length]);
            }
        }
        steps++;
        float decay = (float) (1 - learningRate * weightDecay);
        float stepSize = (float) -(learningRate / (1 - Math.pow(beta1Exact, steps)));
        float root = (float) Math.sqrt(1 - Math.pow(beta2Exact, steps));
        for (int i = 0; i < gradients.size(); i++) {
            float[] p = HostFloats.read(parameters.get(i));
            update(p, gradients.get(i), first.get(i), second.get(i), decay, stepSize, root);
            HostFloats.write(p, parameters.get(i));
        }
    }

    private void update(float[] p, float[] g, float[] m, float[] v, float decay, float stepSize, float root) {
        float gain1 = (float) (1 - beta1Exact);
        float gain2 = (float) (1 - beta2Exact);
        for (int i = 0; i < p.length; i++) {
            m[i] = m[i] * beta1 + gain1 * g[i];
            v[i] = v[i] * beta2 + gain2 * g[i] * g[i];
            float denominator = (float) Math.sqrt(v[i]) / root + epsilon;
            p[i] = p[i] * decay + stepSize * m[i] / denominator;
        }
    }

    /** Returns the number of updates so far. */
    long steps() {
        return steps;
    }

    /** Returns the first moments by parameter; empty before the first update. */
    List<float[]> firstMoments() {
        return first;
    }

    /** Returns the second moments by parameter; empty before the first update. */
    List<float[]> secondMoments() {
        return second;
    }

    /** Takes over a saved state. */
    void restore(long savedSteps, List<float[]> savedFirst, List<float[]> savedSecond) {
        steps = savedSteps;
        first.clear();
        first.addAll(savedFirst);
        second.clear();
        second.addAll(savedSecond);
    }
}
