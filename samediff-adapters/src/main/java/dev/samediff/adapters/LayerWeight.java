package dev.samediff.adapters;

import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The frozen weight W [in,out] of an adapted layer, as a branch needs it beside the layer's output: for methods that look at the
 * columns of the adapted weight, such as DoRA. While an adapter that does not start at zero acts, W is the residual. Nothing of it is trained.
 */
public interface LayerWeight {
    /**
     * Adds {@code M^T W} to the graph.
     *
     * @param name name of the result
     * @param matrix M [in,k], a variable of the graph
     * @return M^T W [k,out]
     */
    SDVariable timesFromLeft(String name, SDVariable matrix);

    /**
     * Adds {@code x W} to the graph, for an input of which elements are dropped.
     *
     * @param name name of the result
     * @param input x [N,in], the layer's
     * @return x W [N,out]
     */
    SDVariable times(String name, LayerInput input);

    /** Returns the squared lengths of W's columns [out], a constant of the graph. */
    SDVariable columnSquares();
}
