package dev.samediff.adapters;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A term added to the loss that depends on the trainable tensors alone, such as SORSA's orthonormal regulariser. Its
 * coefficient is {@code gamma / eta_max} (SORSA, equation 10), unless the penalty says otherwise; eta_max is the peak learning rate
 * of the training plan.
 */
public interface Penalty {
    /** Returns gamma. */
    double gamma();

    /**
     * Returns what the unweighted penalty is multiplied by in the loss.
     *
     * @param etaMax the peak learning rate
     */
    default double coefficient(double etaMax) {
        return gamma() / etaMax;
    }

    /**
     * Adds the unweighted penalty over all layers to the graph.
     *
     * @param sites trainable variables of each layer by short name; at least one layer
     * @param name name of the result
     * @return a scalar
     */
    SDVariable inGraph(List<Map<String, SDVariable>> sites, String name);

    /**
     * Computes the same unweighted penalty and its gradient in closed form.
     *
     * @param sites trainable tensors of each layer by short name
     */
    Value evaluate(List<Map<String, INDArray>> sites);

    /**
     * Returns the share of one tensor in the unweighted penalty, for frameworks that regularise parameter by parameter. The
     * shares of all tensors of all layers add up to {@link #evaluate}.
     *
     * @param tensor the tensor's short name
     * @param value the tensor
     * @param sites how many layers the penalty is taken over
     * @return the share; empty, as by default, if the penalty does not depend on tensors of this name or is no such sum
     */
    default Optional<Term> term(String tensor, INDArray value, int sites) {
        return Optional.empty();
    }

    /**
     * Returns how far a matrix is from being orthonormal on average, {@code ||A^T A - I||_F}, for reports; empty, as by default, if the
     * penalty does not measure that.
     *
     * @param value what {@link #evaluate} gave
     * @param sites the tensors it was given
     */
    default OptionalDouble deviation(double value, List<Map<String, INDArray>> sites) {
        return OptionalDouble.empty();
    }

    /**
     * Returns the Lipschitz constant of the unweighted penalty's gradient close to where the penalty is zero: its largest curvature
     * there. Gradient descent on the penalty alone converges only if the coefficient times the learning rate is below 2 divided by it;
     * empty, as by default, if it is not known or the penalty is not smooth there.
     */
    default OptionalDouble curvature() {
        return OptionalDouble.empty();
    }

    /**
     * A penalty's value and gradient.
     *
     * @param value the unweighted penalty
     * @param gradients per layer, the gradient of each tensor the penalty depends on; tensors without one are absent
     */
    record Value(double value, List<Map<String, INDArray>> gradients) {}

    /**
     * One tensor's share of a penalty.
     *
     * @param value the unweighted share
     * @param gradient its gradient, shaped as the tensor
     */
    record Term(double value, INDArray gradient) {}
}
