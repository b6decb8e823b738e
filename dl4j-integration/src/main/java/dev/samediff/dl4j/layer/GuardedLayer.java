package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A wrapper of DL4J's that is trained in full and refuses wrong gradients ({@link MaskedSteps}). */
final class GuardedLayer extends BaseWrapperLayer {
    GuardedLayer(BaseWrapperLayer implementation) {
        super(implementation);
    }

    /** Returns what the wrapper holds: DL4J's networks ask there for recurrent layers. */
    @Override
    public Layer getUnderlying() {
        return ((BaseWrapperLayer) underlying).getUnderlying();
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        MaskedSteps.require(underlying, epsilon);
        return underlying.backpropGradient(epsilon, workspaceMgr);
    }
}
