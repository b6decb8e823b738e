package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.AdaptedParameters;
import dev.samediff.dl4j.conf.InnerParameters;
import dev.samediff.dl4j.conf.WeightAdapter;
import dev.samediff.dl4j.weight.AdaptableWeight;
import dev.samediff.dl4j.weight.AdaptableWeights;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Makes running layers: DL4J's implementation on a vector of its own, and what composes the weights in it. */
public final class RunningLayers {
    private RunningLayers() {}

    /**
     * Makes the running layer; the arguments are those of DL4J's {@code Layer.instantiate}.
     *
     * @param initializeParams whether the original layer's parameters are to be drawn at random and the adapters started
     *     from them
     */
    public static RunningLayer create(
            AdaptedLayer configuration,
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> listeners,
            int index,
            INDArray view,
            boolean initializeParams,
            DataType type) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            INDArray effective = AdaptedParameters.base(configuration, view).dup();
            Layer implementation = implementation(configuration, conf, listeners, index, effective, type);
            Parameters parameters = Parameters.of(configuration, conf, view, effective, initializeParams);
            conf.clearVariables();
            parameters.table().keySet().forEach(conf::addVariable);
            List<AdaptedWeight> weights = weights(configuration, implementation, parameters);
            if (initializeParams) {
                weights.forEach(AdaptedWeight::start);
            }
            if (implementation instanceof IOutputLayer) {
                return new RunningOutputLayer(configuration, implementation, parameters, weights);
            }
            return RunningRecurrentLayer.recurrent(implementation)
                    .<RunningLayer>map(recurrent ->
                            new RunningRecurrentLayer(configuration, implementation, recurrent, parameters, weights))
                    .orElseGet(() -> new RunningLayer(configuration, implementation, parameters, weights));
        }
    }

    /** DL4J's implementation on a vector of its own, which has to be as long as the implementation believes. */
    private static Layer implementation(
            AdaptedLayer configuration,
            NeuralNetConfiguration conf,
            @Nullable Collection<TrainingListener> listeners,
            int index,
            INDArray effective,
            DataType type) {
        boolean frozen = configuration.getAdapters().isEmpty();
        NeuralNetConfiguration inner =
                InnerParameters.with(RunningConfigurations.of(configuration.getUnderlying(), frozen), conf);
        Layer implementation = inner.getLayer().instantiate(inner, listeners, index, effective, false, type);
        if (implementation.numParams() != effective.length()) {
            throw new IllegalStateException("the layer " + configuration.getLayerName() + " of type "
                    + configuration.getUnderlying().getClass().getSimpleName() + " has "
                    + implementation.numParams() + " parameters, but its configuration asks for "
                    + effective.length());
        }
        return implementation;
    }

    private static List<AdaptedWeight> weights(AdaptedLayer layer, Layer implementation, Parameters parameters) {
        List<AdaptedWeight> weights = new ArrayList<>();
        for (WeightAdapter adapter : layer.getAdapters()) {
            AdaptableWeight site = AdaptableWeights.of(layer.getUnderlying()).stream()
                    .filter(weight -> weight.parameter().equals(adapter.parameter()))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("the layer " + layer.getLayerName()
                            + " has an adapter on " + adapter.parameter() + ", which it does not have"));
            weights.add(new AdaptedWeight(
                    adapter,
                    site,
                    parameters.get(adapter.parameter()),
                    implementation.getParam(adapter.parameter()),
                    site.bias()
                            .filter(implementation.paramTable()::containsKey)
                            .map(bias -> new ScaledBias(bias, parameters.get(bias), implementation.getParam(bias))),
                    parameters.table()));
        }
        return weights;
    }
}
