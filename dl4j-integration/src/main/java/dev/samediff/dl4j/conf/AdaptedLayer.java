package dev.samediff.dl4j.conf;

import dev.samediff.dl4j.layer.RunningLayers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The configuration of a layer whose weights are frozen, with adapters on some of them; with none, a frozen layer that
 * gradients still pass.
 *
 * <p>Its parameters are the original layer's, under their names, followed by the adapters' tensors ({@link
 * WeightAdapter#layout}). The tensors have the original layer's updater and its regularisation of the adapted weight, and
 * the method's penalty; the original parameters have none of them.
 */
public final class AdaptedLayer extends BaseWrapperLayer {
    private static final long serialVersionUID = 1L;

    private final ArrayList<WeightAdapter> adapters;

    /**
     * Creates the configuration.
     *
     * @param underlying the original layer
     * @param adapters adapters on its weights, at most one per weight
     */
    @JsonCreator
    public AdaptedLayer(
            @JsonProperty("underlying") Layer underlying, @JsonProperty("adapters") List<WeightAdapter> adapters) {
        super(underlying);
        this.adapters = new ArrayList<>(adapters);
        this.layerName = underlying == null ? null : underlying.getLayerName();
    }

    /** Returns the adapters. */
    public List<WeightAdapter> getAdapters() {
        return List.copyOf(adapters);
    }

    @Override
    public AdaptedLayer clone() {
        return new AdaptedLayer(underlying.clone(), adapters);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> trainingListeners,
            int layerIndex,
            INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        return RunningLayers.create(
                this, conf, trainingListeners, layerIndex, layerParamsView, initializeParams, networkDataType);
    }

    @Override
    public ParamInitializer initializer() {
        return AdaptedParameters.INSTANCE;
    }

    /** Returns the adapter and tensor with this name of DL4J, if it is trainable. */
    public Optional<Trainable> trainable(String key) {
        return adapters.stream()
                .flatMap(adapter -> adapter.trainable(key).map(tensor -> new Trainable(adapter, tensor)).stream())
                .findFirst();
    }

    @Override
    public List<Regularization> getRegularizationByParam(String paramName) {
        return trainable(paramName).map(this::regularizations).orElse(List.of());
    }

    private List<Regularization> regularizations(Trainable trainable) {
        List<Regularization> ofWeight =
                underlying.getRegularizationByParam(trainable.adapter().parameter());
        return Stream.concat(
                        Stream.ofNullable(ofWeight).flatMap(List::stream),
                        trainable.adapter().penalty(trainable.tensor()).stream())
                .toList();
    }

    @Override
    public IUpdater getUpdaterByParam(String paramName) {
        return trainable(paramName)
                .map(trainable -> withUpdater(underlying)
                        .getUpdaterByParam(trainable.adapter().parameter()))
                .orElseGet(NoOp::new);
    }

    /** Returns the layer inside DL4J's wrappers, such as {@code LastTimeStep}, which do not know their updaters. */
    public static Layer withUpdater(Layer layer) {
        return layer instanceof BaseWrapperLayer wrapper ? withUpdater(wrapper.getUnderlying()) : layer;
    }

    @Override
    public boolean isPretrainParam(String paramName) {
        return false;
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof AdaptedLayer other
                && Objects.equals(underlying, other.underlying)
                && adapters.equals(other.adapters);
    }

    @Override
    protected boolean canEqual(@Nullable Object other) {
        return other instanceof AdaptedLayer;
    }

    @Override
    public int hashCode() {
        return Objects.hash(underlying, adapters);
    }

    @Override
    public String toString() {
        return "AdaptedLayer(underlying=" + underlying + ", adapters=" + adapters + ")";
    }

    /**
     * A trainable tensor of a layer.
     *
     * @param adapter the adapter
     * @param tensor its tensor
     */
    public record Trainable(WeightAdapter adapter, AdapterTensor tensor) {}
}
