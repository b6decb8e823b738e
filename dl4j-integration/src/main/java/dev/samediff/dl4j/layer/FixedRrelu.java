package dev.samediff.dl4j.layer;

import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.BaseActivationFunction;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What ND4J's randomised leaky ReLU computes at test time, in training too: the maximum of x and the mean of the bounds (the
 * mean is handed to a ReLU, which takes it for its cut-off, not for a slope).
 */
final class FixedRrelu extends BaseActivationFunction {
    private static final long serialVersionUID = 1L;

    private final ActivationRReLU random;

    FixedRrelu(ActivationRReLU random) {
        this.random = random;
    }

    @Override
    public INDArray getActivation(INDArray in, boolean training) {
        return random.getActivation(in, false);
    }

    @Override
    public Pair<INDArray, INDArray> backprop(INDArray in, INDArray epsilon) {
        double cutoff = (random.getL() + random.getU()) / 2;
        return new Pair<>(epsilon.muli(in.gt(cutoff).castTo(epsilon.dataType())), null);
    }
}
