package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffLayer;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A defect of DL4J M2.1: every gradient that comes out of a {@code SameDiffLayer}, of its parameters and of its input, is
 * twice too large. {@code ExternalErrorsFunction.doDiff} sets the error as the gradient of the layer's output and returns it
 * too, and SameDiff adds the two. All attention layers are such layers. {@code Dl4jDefectsTest} measures it.
 */
final class ExternalErrors {
    private ExternalErrors() {}

    /** Returns the gradients of an implementation as they should be, in the same arrays. */
    static Pair<Gradient, INDArray> corrected(Layer implementation, Pair<Gradient, INDArray> backward) {
        if (!(implementation instanceof SameDiffLayer)) {
            return backward;
        }
        backward.getFirst().gradientForVariable().values().forEach(gradient -> gradient.muli(0.5));
        if (backward.getSecond() != null) {
            backward.getSecond().muli(0.5);
        }
        return backward;
    }
}
