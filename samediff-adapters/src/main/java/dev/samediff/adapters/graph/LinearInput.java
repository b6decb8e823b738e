package dev.samediff.adapters.graph;

import dev.samediff.adapters.LayerInput;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The input of a linear layer, or of one for each expert.
 *
 * @param x the activation [N,in], [experts,N,in] of experts
 * @param isDropped whether elements of it are dropped in training
 */
record LinearInput(SDVariable x, boolean isDropped) implements LayerInput {
    @Override
    public SameDiff graph() {
        return x.getSameDiff();
    }

    @Override
    public LayerInput scaled(String name, SDVariable factors) {
        return new LinearInput(x.mul(name, factors), isDropped);
    }

    @Override
    public SDVariable times(String name, SDVariable matrix) {
        return graph().mmul(name, x, matrix);
    }
}
