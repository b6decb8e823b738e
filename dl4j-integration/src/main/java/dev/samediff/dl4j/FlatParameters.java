package dev.samediff.dl4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.AdaptedParameters;
import dev.samediff.dl4j.conf.InnerParameters;
import dev.samediff.dl4j.layer.RunningLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Flat parameter vectors of networks before and after an adaptation. */
final class FlatParameters {
    private FlatParameters() {}

    /** Describes a layer of the given network, with the fine-tuning applied to its configuration. */
    static NetworkLayer layer(
            NeuralNetConfiguration conf, String defaultName, int index, Layer running, TransferOptions<?> options) {
        if (running instanceof RunningLayer) {
            throw new InvalidInputException("the layer `" + conf.getLayer().getLayerName()
                    + "` is adapted already; merge or unload the network first");
        }
        conf.setLayer(NetworkLayer.thawed(conf.getLayer()));
        conf.clearVariables();
        if (conf.getLayer().getLayerName() == null) {
            conf.getLayer().setLayerName(defaultName);
        }
        if (options.fineTune != null) {
            options.fineTune.applyToNeuralNetConfiguration(conf);
        }
        long expected = InnerParameters.count(conf.getLayer());
        if (running.numParams() != expected) {
            throw new InvalidInputException("the layer `" + conf.getLayer().getLayerName() + "` of type "
                    + conf.getLayer().getClass().getSimpleName() + " has " + running.numParams()
                    + " parameters, but its type says " + expected + " for its configuration; the type's"
                    + " ParamInitializer.numParams does not fit what it runs, so the layer cannot be rebuilt");
        }
        INDArray parameters = expected == 0 ? null : running.params();
        return new NetworkLayer(conf.getLayer().getLayerName(), index, conf.getLayer(), parameters);
    }

    /** Joins the parameters of all layers, each followed by the start of its adapters. */
    static @Nullable INDArray join(List<NetworkLayer> layers, Adaptation adaptation, DataType type) {
        List<INDArray> vectors = new ArrayList<>();
        for (NetworkLayer layer : layers) {
            INDArray parameters = layer.parameters();
            if (parameters != null) {
                vectors.add(
                        adaptation.configuration(layer) instanceof AdaptedLayer adapted
                                ? started(adapted, parameters, adaptation, layer.name())
                                : parameters);
            }
        }
        return join(vectors, type);
    }

    private static INDArray started(AdaptedLayer layer, INDArray parameters, Adaptation adaptation, String name) {
        INDArray vector = Nd4j.zeros(parameters.dataType(), layer.initializer().numParams(layer));
        AdaptedParameters.base(layer, vector).assign(parameters.reshape(parameters.length()));
        AdaptedParameters.tensors(layer, vector)
                .forEach((key, tensor) -> tensor.assign(adaptation.starts(name).get(key)));
        return vector;
    }

    /** Joins vectors; null stands for none. */
    static @Nullable INDArray join(List<? extends @Nullable INDArray> vectors, DataType type) {
        INDArray[] rows = vectors.stream()
                .filter(Objects::nonNull)
                .map(vector -> vector.castTo(type).reshape(1, vector.length()))
                .toArray(INDArray[]::new);
        return rows.length == 0 ? null : Nd4j.concat(1, rows);
    }

    /** Returns the parameters a layer has without adapters; null if it has none. */
    static @Nullable INDArray plain(Layer running, Function<RunningLayer, INDArray> parameters) {
        if (running instanceof RunningLayer adapted) {
            return parameters.apply(adapted);
        }
        return running.numParams() == 0 ? null : running.params();
    }

    static void requireAdapted(boolean any) {
        if (!any) {
            throw new InvalidInputException("the network has no adapted layer; make one with AdapterTransfer");
        }
    }
}
