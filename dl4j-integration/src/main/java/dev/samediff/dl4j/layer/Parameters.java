package dev.samediff.dl4j.layer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.AdaptedParameters;
import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parameters of an adapted layer.
 *
 * @param inner a configuration with the original layer in it
 * @param view all of them, as the network's flat vector holds them
 * @param base the original layer's part of it
 * @param table all of them by DL4J's names, as views
 * @param effective the vector that the original implementation reads
 */
record Parameters(
        NeuralNetConfiguration inner, INDArray view, INDArray base, Map<String, INDArray> table, INDArray effective) {

    static Parameters of(
            AdaptedLayer layer, NeuralNetConfiguration conf, INDArray view, INDArray effective, boolean initialize) {
        NeuralNetConfiguration inner = AdaptedParameters.inner(conf, layer);
        INDArray base = AdaptedParameters.base(layer, view);
        Layer original = layer.getUnderlying();
        Map<String, INDArray> table = new LinkedHashMap<>(original.initializer().init(inner, base, initialize));
        table.putAll(AdaptedParameters.tensors(layer, view));
        return new Parameters(inner, view, base, table, effective.assign(base));
    }

    /** Returns the parameter with this name of DL4J. */
    INDArray get(String key) {
        INDArray parameter = table.get(key);
        if (parameter == null) {
            throw new InvalidInputException("the layer `" + inner.getLayer().getLayerName() + "` has no parameter `"
                    + key + "`; it has " + table.keySet());
        }
        return parameter;
    }

    /** Returns a vector like {@link #base} by DL4J's names. */
    Map<String, INDArray> viewsOf(INDArray vector) {
        return inner.getLayer().initializer().init(inner.clone(), vector, false);
    }
}
