package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.StillLayer;
import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A running {@link StillLayer}: a layer without anything random, in the mode that leaves its input alone. */
public class RunningStillLayer extends FrozenLayer {
    RunningStillLayer(Layer implementation) {
        super(implementation);
    }

    /** Makes the running layer; the arguments are those of DL4J's {@code Layer.instantiate}. */
    public static RunningStillLayer create(
            StillLayer configuration,
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> listeners,
            int index,
            INDArray view,
            boolean initializeParams,
            DataType type) {
        NeuralNetConfiguration inner = conf.clone();
        inner.setLayer(RunningConfigurations.of(configuration.getLayer(), true));
        inner.clearVariables();
        Layer implementation = inner.getLayer().instantiate(inner, listeners, index, view, initializeParams, type);
        conf.clearVariables();
        if (implementation.paramTable() != null) {
            implementation.paramTable().keySet().forEach(conf::addVariable);
        }
        return implementation instanceof RecurrentLayer recurrent
                ? new RunningStillRecurrentLayer(recurrent)
                : new RunningStillLayer(implementation);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        return underlying.activate(true, workspaceMgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        return underlying.activate(input, true, workspaceMgr);
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
            @Nullable INDArray maskArray, MaskState currentMaskState, int minibatchSize) {
        Pair<INDArray, MaskState> result = underlying.feedForwardMaskArray(maskArray, currentMaskState, minibatchSize);
        MaskedSteps.warnIfIgnored(underlying, maskArray);
        return result;
    }
}
