package dev.samediff.adapters;

import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * One use of a frozen layer in a graph, as the branch of a method sees it.
 *
 * @param input the layer's input x [N,in]; a method multiplies it by matrices [in,k] and does nothing else with it
 * @param base x W [N,out], W being the residual if the method does not start at zero; of experts, this and x have an axis of
 *     experts in front
 * @param weight W itself; no method that looks at it is put on experts
 * @param bias b [out], which the graph adds to the layer's output afterwards, if it is known to
 */
public record LayerUse(LayerInput input, SDVariable base, LayerWeight weight, Optional<SDVariable> bias) {}
