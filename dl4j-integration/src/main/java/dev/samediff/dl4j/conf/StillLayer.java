package dev.samediff.dl4j.conf;

import dev.samediff.dl4j.layer.RunningStillLayer;
import java.util.Collection;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The configuration of a frozen layer that no gradient has to reach: DL4J's {@code FrozenLayer} without what that one gets
 * wrong. It counts the parameters of every layer type, it drops nothing under truncated backpropagation (DL4J's recurrent
 * layers are asked past the freezing there), and it does not overwrite its input (DL4J's {@code PReLULayer} does at test time).
 */
public final class StillLayer extends FrozenLayer {
    private static final long serialVersionUID = 1L;
    private static final ParamInitializer PARAMETERS = new InnerParameters(layer -> ((StillLayer) layer).getLayer());

    /**
     * Freezes a layer.
     *
     * @param layer the layer
     */
    @JsonCreator
    public StillLayer(@JsonProperty("layer") Layer layer) {
        super(layer);
        this.layerName = layer == null ? null : layer.getLayerName();
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> trainingListeners,
            int layerIndex,
            INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        return RunningStillLayer.create(
                this, conf, trainingListeners, layerIndex, layerParamsView, initializeParams, networkDataType);
    }

    @Override
    public ParamInitializer initializer() {
        return PARAMETERS;
    }
}
