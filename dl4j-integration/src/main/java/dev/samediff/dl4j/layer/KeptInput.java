package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A {@code PReLULayer} or an {@code ActivationLayer} that leaves its input alone. At test time DL4J's compute in place, so that
 * in a graph whatever else reads the same input reads the output ({@code score} is wrong then, {@code output} is not), and
 * a user's own features are overwritten. In training they compute the same on a copy.
 */
final class KeptInput extends BaseWrapperLayer {
    KeptInput(Layer implementation) {
        super(implementation);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        return underlying.activate(true, workspaceMgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        return underlying.activate(input, true, workspaceMgr);
    }
}
