package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.InnerParameters;
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

/**
 * The configuration of a layer whose implementation gets a corrected backward pass. It stands directly around the layer that
 * is wrong, so that DL4J's wrappers around it, such as {@code MaskZeroLayer}, see right gradients. It lives in memory only.
 */
final class Correction extends BaseWrapperLayer {
    private static final long serialVersionUID = 1L;
    private static final ParamInitializer PARAMETERS =
            new InnerParameters(layer -> ((Correction) layer).getUnderlying());

    private final Kind kind;

    Correction(Layer underlying, Kind kind) {
        super(underlying);
        this.kind = kind;
        this.layerName = underlying.getLayerName();
    }

    @Override
    public Correction clone() {
        return new Correction(underlying.clone(), kind);
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> trainingListeners,
            int layerIndex,
            @Nullable INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        NeuralNetConfiguration inner = conf.clone();
        inner.setLayer(underlying);
        org.deeplearning4j.nn.api.Layer implementation = underlying.instantiate(
                inner, trainingListeners, layerIndex, layerParamsView, initializeParams, networkDataType);
        return switch (kind) {
            case HALVED_ERRORS -> new HalvedErrorsLayer(implementation);
            case FIXED_NORMALIZATION -> new FixedNormalization(implementation);
            case KEPT_INPUT -> new KeptInput(implementation);
        };
    }

    @Override
    public ParamInitializer initializer() {
        return PARAMETERS;
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof Correction other && kind == other.kind && Objects.equals(underlying, other.underlying);
    }

    @Override
    protected boolean canEqual(@Nullable Object other) {
        return other instanceof Correction;
    }

    @Override
    public int hashCode() {
        return Objects.hash(underlying, kind);
    }

    @Override
    public String toString() {
        return "Correction(underlying=" + underlying + ", kind=" + kind + ")";
    }

    /** What is corrected. */
    enum Kind {
        /** {@link HalvedErrorsLayer}. */
        HALVED_ERRORS,
        /** {@link FixedNormalization}. */
        FIXED_NORMALIZATION,
        /** {@link KeptInput}. */
        KEPT_INPUT
    }
}
