package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.AdapterTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * A running adapted layer: the original layer's own implementation, on parameters of its own in which the adapted weights
 * are composed before every pass. The network's flat vector holds the true weights and the adapters' tensors.
 */
public class RunningLayer extends BaseWrapperLayer {
    private final AdaptedLayer configuration;
    private final Parameters parameters;
    private final List<AdaptedWeight> weights;
    private final List<Copy> copies;
    private @Nullable Gradients gradients;

    RunningLayer(AdaptedLayer configuration, Layer implementation, Parameters parameters, List<AdaptedWeight> weights) {
        super(implementation);
        this.configuration = configuration;
        this.parameters = parameters;
        this.weights = weights;
        this.copies = Copy.all(parameters, implementation, weights);
    }

    /** Composes the weights from the network's parameters as they are now. */
    final void compose() {
        copies.forEach(Copy::run);
        weights.forEach(AdaptedWeight::compose);
    }

    /**
     * Returns whether nothing of it is trained. It has nothing random then ({@link RunningConfigurations}) and always runs in
     * the mode that DL4J's backward passes assume, which computes what the other does and leaves the input as it is.
     */
    final boolean isFrozen() {
        return weights.isEmpty();
    }

    /** Returns how many numbers of this layer are trained. */
    public long trainableParameters() {
        return configuration.getAdapters().stream()
                .flatMap(adapter -> adapter.tensors().stream())
                .mapToLong(AdapterTensor::length)
                .sum();
    }

    /** Returns the original layer's parameters with the adapters merged into them, as a new flat vector. */
    public INDArray merged() {
        INDArray merged = parameters.base().dup();
        Map<String, INDArray> views = parameters.viewsOf(merged);
        weights.forEach(weight -> {
            INDArray target = views.get(weight.parameter());
            if (target != null) {
                weight.merge(target);
                weight.mergeBias(views);
            }
        });
        return merged;
    }

    /** Returns the original layer's parameters, bit for bit, as a new flat vector. */
    public INDArray original() {
        return parameters.base().dup();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        compose();
        return underlying.activate(training || isFrozen(), workspaceMgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        compose();
        return underlying.activate(input, training || isFrozen(), workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        MaskedSteps.require(this, epsilon);
        return finish(underlying.backpropGradient(epsilon, workspaceMgr));
    }

    /** Replaces the gradients of the original layer's parameters by those of the tensors. */
    final Pair<Gradient, INDArray> finish(Pair<Gradient, INDArray> ofImplementation) {
        if (gradients == null) {
            throw new IllegalStateException("the layer " + configuration.getLayerName() + " has no gradient array yet");
        }
        Gradient result = new DefaultGradient(gradients.view());
        for (AdaptedWeight weight : weights) {
            weight.backward(ofImplementation.getFirst().gradientForVariable(), gradients.tensors())
                    .forEach((key, gradient) -> result.setGradientFor(key, gradient, 'c'));
        }
        return new Pair<>(result, ofImplementation.getSecond());
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
            @Nullable INDArray maskArray, MaskState currentMaskState, int minibatchSize) {
        Pair<INDArray, MaskState> result = underlying.feedForwardMaskArray(maskArray, currentMaskState, minibatchSize);
        MaskedSteps.warnIfIgnored(underlying, maskArray);
        return result;
    }

    @Override
    public void setBackpropGradientsViewArray(INDArray view) {
        gradients = Gradients.of(configuration, view);
        underlying.setBackpropGradientsViewArray(gradients.ofImplementation());
    }

    @Override
    public @Nullable INDArray getGradientsViewArray() {
        return gradients == null ? null : gradients.view();
    }

    @Override
    public Gradient gradient() {
        return gradients == null ? new DefaultGradient() : gradients.asGradient();
    }

    @Override
    public double calcRegularizationScore(boolean backpropParamsOnly) {
        double score = 0;
        for (Map.Entry<String, INDArray> entry : parameters.table().entrySet()) {
            for (Regularization term : configuration.getRegularizationByParam(entry.getKey())) {
                score += term.score(entry.getValue(), getIterationCount(), getEpochCount());
            }
        }
        return score;
    }

    @Override
    public TrainingConfig getConfig() {
        return configuration;
    }

    @Override
    public INDArray params() {
        return parameters.view();
    }

    @Override
    public long numParams() {
        return parameters.view().length();
    }

    @Override
    public long numParams(boolean backwards) {
        return numParams();
    }

    @Override
    public void setParams(INDArray params) {
        parameters.view().assign(params.reshape(parameters.view().shape()));
    }

    @Override
    public void setParamsViewArray(INDArray params) {
        throw new UnsupportedOperationException("the parameters of an adapted layer lie where its network put them; use"
                + " setParams to change their values");
    }

    @Override
    public INDArray getParam(String param) {
        return parameters.get(param);
    }

    @Override
    public Map<String, INDArray> paramTable() {
        return new LinkedHashMap<>(parameters.table());
    }

    @Override
    public Map<String, INDArray> paramTable(boolean backpropParamsOnly) {
        return paramTable();
    }

    @Override
    public void setParamTable(Map<String, INDArray> paramTable) {
        paramTable.forEach(this::setParam);
    }

    @Override
    public void setParam(String key, INDArray val) {
        INDArray current = parameters.get(key);
        if (!Arrays.equals(current.shape(), val.shape())) {
            throw new IllegalArgumentException("the parameter " + key + " has the shape "
                    + Arrays.toString(current.shape()) + ", not " + Arrays.toString(val.shape()));
        }
        current.assign(val);
    }

    /** Does nothing: constraints on adapted weights are refused, and what is frozen cannot break one. */
    @Override
    public void applyConstraints(int iteration, int epoch) {}

    /** Returns false: DL4J's layer-wise pretraining would train the composed weights, which nothing keeps. */
    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    @Override
    public boolean updaterDivideByMinibatch(String paramName) {
        return true;
    }
}
