package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen recurrent layer. DL4J's networks carry the state from one piece of truncated backpropagation to the next for
 * recurrent layers, and lose that of a {@code FrozenLayer} around one.
 */
final class RunningStillRecurrentLayer extends RunningStillLayer implements CarriedState {
    private final RecurrentLayer recurrent;

    RunningStillRecurrentLayer(RecurrentLayer implementation) {
        super(implementation);
        this.recurrent = implementation;
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        return recurrent.rnnTimeStep(input, workspaceMgr);
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLastForTBPTT, LayerWorkspaceMgr workspaceMgr) {
        return recurrent.rnnActivateUsingStoredState(input, true, storeLastForTBPTT, workspaceMgr);
    }

    /** Gives no gradient, as {@link #backpropGradient} does. */
    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackLength, LayerWorkspaceMgr workspaceMgr) {
        return backpropGradient(epsilon, workspaceMgr);
    }

    @Override
    public RecurrentLayer recurrent() {
        return recurrent;
    }
}
