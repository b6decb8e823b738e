package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.gradient.Gradient;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A defect of DL4J M2.1: every gradient that comes out of a {@code SameDiffLayer} or a {@code SameDiffVertex}, of its
 * parameters and of its inputs, is twice too large. {@code ExternalErrorsFunction.doDiff} sets the error as the gradient of
 * the output and returns it too, and SameDiff adds the two. All attention layers are such layers. {@code Dl4jDefectsTest}
 * measures it.
 */
public final class HalvedErrors {
    private HalvedErrors() {}

    /**
     * Halves what a backward pass gave, in the same arrays.
     *
     * @param ofParameters the gradients of the parameters
     * @param ofInputs those of the inputs; null where there is none
     */
    public static void correct(Gradient ofParameters, @Nullable INDArray... ofInputs) {
        ofParameters.gradientForVariable().values().forEach(gradient -> gradient.muli(0.5));
        for (INDArray gradient : ofInputs) {
            if (gradient != null) {
                gradient.muli(0.5);
            }
        }
    }
}
