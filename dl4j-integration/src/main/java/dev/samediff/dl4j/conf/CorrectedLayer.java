package dev.samediff.dl4j.conf;

import dev.samediff.dl4j.layer.RunningConfigurations;
import java.util.Collection;
import java.util.Objects;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The configuration of a layer that runs as DL4J's own, with right gradients ({@link RunningConfigurations}): one that is
 * trained in full, or one without parameters, which is frozen by leaving its dropout out.
 */
public final class CorrectedLayer extends BaseWrapperLayer {
    private static final long serialVersionUID = 1L;
    private static final ParamInitializer PARAMETERS =
            new InnerParameters(layer -> ((CorrectedLayer) layer).getUnderlying());

    private final boolean frozen;

    /**
     * Creates the configuration.
     *
     * @param underlying the original layer
     * @param frozen whether it runs as at test time
     */
    @JsonCreator
    public CorrectedLayer(@JsonProperty("underlying") Layer underlying, @JsonProperty("frozen") boolean frozen) {
        super(underlying);
        this.frozen = frozen;
        this.layerName = underlying == null ? null : underlying.getLayerName();
    }

    /** Returns whether it runs as at test time. */
    public boolean isFrozen() {
        return frozen;
    }

    @Override
    public CorrectedLayer clone() {
        return new CorrectedLayer(underlying.clone(), frozen);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> trainingListeners,
            int layerIndex,
            @Nullable INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        Layer running = RunningConfigurations.of(underlying, frozen);
        return RunningConfigurations.guarded(
                running.instantiate(
                        InnerParameters.with(running, conf),
                        trainingListeners,
                        layerIndex,
                        layerParamsView,
                        initializeParams,
                        networkDataType),
                underlying);
    }

    @Override
    public ParamInitializer initializer() {
        return PARAMETERS;
    }

    @Override
    public IUpdater getUpdaterByParam(String paramName) {
        return underlying.getUpdaterByParam(paramName);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof CorrectedLayer other
                && frozen == other.frozen
                && Objects.equals(underlying, other.underlying);
    }

    @Override
    protected boolean canEqual(@Nullable Object other) {
        return other instanceof CorrectedLayer;
    }

    @Override
    public int hashCode() {
        return Objects.hash(underlying, frozen);
    }

    @Override
    public String toString() {
        return "CorrectedLayer(underlying=" + underlying + ", frozen=" + frozen + ")";
    }
}
