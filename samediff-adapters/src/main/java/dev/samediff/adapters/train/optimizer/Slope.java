package dev.samediff.adapters.train.optimizer;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The direction in which parameters are updated: {@code factor * sum of gradients + coefficient * addend}.
 *
 * @param factor of the sum that the optimizer holds
 * @param addends gradients of a penalty by the parameter's index; parameters without one are absent
 * @param coefficient of the addends
 */
public record Slope(double factor, Map<Integer, INDArray> addends, double coefficient) {
    static Slope of(double factor) {
        return new Slope(factor, Map.of(), 0);
    }

    /** Returns this with everything multiplied. */
    public Slope times(double by) {
        return new Slope(factor * by, addends, coefficient * by);
    }

    /** Returns this with the gradient of a penalty. */
    public Slope plus(PenaltyTerm.At penalty) {
        return new Slope(factor, penalty.gradients(), penalty.coefficient());
    }
}
