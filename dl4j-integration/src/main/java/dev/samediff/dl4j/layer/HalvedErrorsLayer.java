package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A SameDiff layer of DL4J with right gradients ({@link HalvedErrors}). */
final class HalvedErrorsLayer extends BaseWrapperLayer {
    HalvedErrorsLayer(Layer implementation) {
        super(implementation);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pair<Gradient, INDArray> doubled = underlying.backpropGradient(epsilon, workspaceMgr);
        HalvedErrors.correct(doubled.getFirst(), doubled.getSecond());
        return doubled;
    }
}
