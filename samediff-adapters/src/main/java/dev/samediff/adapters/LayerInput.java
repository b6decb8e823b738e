package dev.samediff.adapters;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The input x [N,in] of an adapted layer, as far as a method needs it: something that can be multiplied by a matrix. Of a
 * linear layer it is an activation; of an embedding it is {@code onehot(ids)}, which is never formed. Of experts, everything
 * has one more axis in front.
 */
public interface LayerInput {
    /** Returns the graph. */
    SameDiff graph();

    /**
     * Adds {@code x M} to the graph; the gradient with respect to M is right wherever it is trained.
     *
     * @param name name of the result, and start of the names of everything else made here
     * @param matrix M [in,k], a variable of the graph with an array; [experts,in,k] if x is [experts,N,in]
     * @return x M [N,k], or [experts,N,k]
     */
    SDVariable times(String name, SDVariable matrix);

    /**
     * Adds {@code x f} to the graph, element by element, for a method with {@link AdapterMethod#scales}.
     *
     * @param name name of the result
     * @param factors f [in]
     * @throws InvalidInputException if x is no activation of a linear layer
     */
    default LayerInput scaled(String name, SDVariable factors) {
        throw new InvalidInputException("an input that is looked up cannot be multiplied element by element");
    }

    /** Tells whether elements of x are dropped in training, so that x W is not the layer's output there. */
    default boolean isDropped() {
        return false;
    }
}
