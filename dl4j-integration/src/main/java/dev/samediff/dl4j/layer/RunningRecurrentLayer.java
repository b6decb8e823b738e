package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.AdaptedLayer;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A running adapted recurrent layer: time steps, stored state and truncated backpropagation through time. As in DL4J's
 * networks, the layer inside of a wrapper such as {@code MaskZeroLayer} is asked for them past the wrapper; truncated
 * backpropagation through wrappers is refused beforehand.
 */
final class RunningRecurrentLayer extends RunningLayer implements CarriedState {
    private final RecurrentLayer recurrent;

    RunningRecurrentLayer(
            AdaptedLayer configuration,
            Layer implementation,
            RecurrentLayer recurrent,
            Parameters parameters,
            List<AdaptedWeight> weights) {
        super(configuration, implementation, parameters, weights);
        this.recurrent = recurrent;
    }

    /** Returns what DL4J's networks ask for time steps, if there is any. */
    static Optional<RecurrentLayer> recurrent(Layer implementation) {
        Layer inner = implementation instanceof BaseWrapperLayer wrapper ? wrapper.getUnderlying() : implementation;
        return inner instanceof RecurrentLayer recurrent ? Optional.of(recurrent) : Optional.empty();
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        compose();
        return recurrent.rnnTimeStep(input, workspaceMgr);
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLastForTBPTT, LayerWorkspaceMgr workspaceMgr) {
        compose();
        return recurrent.rnnActivateUsingStoredState(input, training || isFrozen(), storeLastForTBPTT, workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackLength, LayerWorkspaceMgr workspaceMgr) {
        return finish(recurrent.tbpttBackpropGradient(epsilon, tbpttBackLength, workspaceMgr));
    }

    @Override
    public RecurrentLayer recurrent() {
        return recurrent;
    }
}
