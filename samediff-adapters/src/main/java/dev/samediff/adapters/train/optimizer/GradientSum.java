package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.engine.Engine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gradients of several batches, weighted by the weight of their labels (their labelled tokens, where a mask is 0 or 1), so
 * that the mean is that of one large batch; 0 if there are no labels. The optimizer holds the sum in units of the first batch's weight, so a single batch is taken as it is.
 */
public final class GradientSum {
    private static final double CLIP_EPSILON = 1e-6;

    private final List<String> names;
    private final Optimizer optimizer;
    private double lossSum;
    private double tokens;
    private double unit;
    private boolean empty = true;

    public GradientSum(List<String> names, Optimizer optimizer) {
        this.names = names;
        this.optimizer = optimizer;
    }

    /** Adds the gradients of a batch's mean loss; their arrays belong to this from now on. */
    public void add(Engine.Gradients batch, double batchTokens) {
        lossSum += batchTokens == 0 ? 0 : batch.loss() * batchTokens;
        tokens += batchTokens;
        Map<String, INDArray> rest = new LinkedHashMap<>(batch.byName());
        List<INDArray> gradients = new ArrayList<>();
        for (String name : names) {
            INDArray array = rest.remove(name);
            if (array == null) {
                throw new IllegalStateException("the engine gave no gradient of `" + name + "`");
            }
            gradients.add(array);
        }
        rest.values().forEach(Optimizer::free);
        if (empty || unit == 0) {
            optimizer.take(gradients);
            unit = batchTokens;
        } else if (batchTokens == 0) {
            gradients.forEach(Optimizer::free);
        } else {
            optimizer.add(gradients, batchTokens / unit);
        }
        empty = false;
    }

    /** Returns the gradients of the mean loss over all tokens. */
    public Slope mean() {
        return Slope.of(tokens == 0 ? 0 : unit / tokens);
    }

    /** Returns the mean loss over all tokens. */
    public double loss() {
        return tokens == 0 ? 0 : lossSum / tokens;
    }

    /** Returns the weight of all labels. */
    public double tokens() {
        return tokens;
    }

    /**
     * Returns the factor that makes a norm at most {@code largest}, as torch's {@code clip_grad_norm_}; 1 if it is
     * smaller, or if {@code largest} is 0.
     */
    public static double clipping(double norm, double largest) {
        double factor = largest / (norm + CLIP_EPSILON);
        return largest > 0 && factor < 1 ? factor : 1;
    }
}
