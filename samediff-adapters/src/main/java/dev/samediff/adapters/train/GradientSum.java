package dev.samediff.adapters.train;

import dev.samediff.adapters.engine.Engine;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gradients of several batches, weighted by their labelled tokens, so that the mean is that of one large batch.
 */
final class GradientSum {
    private static final double CLIP_EPSILON = 1e-6;

    private final List<String> names;
    private final List<float[]> sums = new ArrayList<>();
    private double lossSum;
    private long tokens;

    GradientSum(List<String> names) {
        this.names = names;
    }

    /** Adds the gradients of a batch's mean loss, and frees their arrays. */
    void add(Engine.Gradients batch, long batchTokens) {
        lossSum += batchTokens == 0 ? 0 : batch.loss() * batchTokens;
        tokens += batchTokens;
        boolean firstBatch = sums.isEmpty();
        for (int i = 0; i < names.size(); i++) {
            INDArray array = batch.byName().get(names.get(i));
            if (array == null) {
                throw new IllegalStateException("the engine gave no gradient of `" + names.get(i) + "`");
            }
            float[] values = HostFloats.read(array);
            if (firstBatch) {
                scale(values, batchTokens);
                sums.add(values);
            } else {
                addScaled(sums.get(i), values, batchTokens);
            }
        }
        for (INDArray array : batch.byName().values()) {
            if (array.closeable() && !array.wasClosed()) {
                array.close();
            }
        }
    }

    /** Returns the gradients of the mean loss over all tokens. */
    List<float[]> mean() {
        for (float[] sum : sums) {
            scale(sum, 1.0 / Math.max(1, tokens));
        }
        return sums;
    }

    double loss() {
        return lossSum / Math.max(1, tokens);
    }

    long tokens() {
        return tokens;
    }

    /** Returns the norm of all gradients together. */
    static double norm(List<float[]> gradients) {
        double squares = 0;
        for (float[] gradient : gradients) {
            for (float g : gradient) {
                squares += (double) g * g;
            }
        }
        return Math.sqrt(squares);
    }

    /**
     * Scales gradients so that their norm is at most {@code largest}, as torch's {@code clip_grad_norm_}; 0 leaves them.
     *
     * @return the norm before
     */
    static double clip(List<float[]> gradients, double largest) {
        double norm = norm(gradients);
        double factor = largest / (norm + CLIP_EPSILON);
        if (largest > 0 && factor < 1) {
            gradients.forEach(gradient -> scale(gradient, factor));
        }
        return norm;
    }

    /** Multiplies every value. */
    static void scale(float[] values, double factor) {
        float f = (float) factor;
        for (int i = 0; i < values.length; i++) {
            values[i] *= f;
        }
    }

    /** Adds {@code factor * values} to {@code sum}. */
    static void addScaled(float[] sum, float[] values, double factor) {
        float f = (float) factor;
        for (int i = 0; i < sum.length; i++) {
            sum[i] += f * values[i];
        }
    }
}
