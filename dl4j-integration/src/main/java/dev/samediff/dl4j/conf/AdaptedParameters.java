package dev.samediff.dl4j.conf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** How the parameters of an {@link AdaptedLayer} lie in a flat vector: the original layer's, then the adapters' tensors. */
public final class AdaptedParameters implements ParamInitializer {
    static final AdaptedParameters INSTANCE = new AdaptedParameters();

    private AdaptedParameters() {}

    /** Returns the part of a flat vector that the original layer's parameters take. */
    public static INDArray base(AdaptedLayer layer, INDArray view) {
        return flat(view).get(NDArrayIndex.interval(0, baseLength(layer)));
    }

    /** Returns the adapters' tensors in a flat vector, by DL4J's names, as views in c order. */
    public static Map<String, INDArray> tensors(AdaptedLayer layer, INDArray view) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        long offset = baseLength(layer);
        for (Map.Entry<String, AdapterTensor> entry : layout(layer).entrySet()) {
            AdapterTensor tensor = entry.getValue();
            INDArray part = flat(view).get(NDArrayIndex.interval(offset, offset + tensor.length()));
            tensors.put(entry.getKey(), part.reshape('c', true, tensor.dimensions()));
            offset += tensor.length();
        }
        return tensors;
    }

    @Override
    public long numParams(NeuralNetConfiguration conf) {
        return numParams(conf.getLayer());
    }

    @Override
    public long numParams(Layer layer) {
        AdaptedLayer adapted = (AdaptedLayer) layer;
        return baseLength(adapted)
                + layout(adapted).values().stream()
                        .mapToLong(AdapterTensor::length)
                        .sum();
    }

    @Override
    public List<String> paramKeys(Layer layer) {
        AdaptedLayer adapted = (AdaptedLayer) layer;
        List<String> keys = new ArrayList<>(underlying(adapted).initializer().paramKeys(underlying(adapted)));
        keys.addAll(layout(adapted).keySet());
        return keys;
    }

    @Override
    public List<String> weightKeys(Layer layer) {
        AdaptedLayer adapted = (AdaptedLayer) layer;
        List<String> keys = new ArrayList<>(underlying(adapted).initializer().weightKeys(underlying(adapted)));
        keys.addAll(layout(adapted).keySet());
        return keys;
    }

    @Override
    public List<String> biasKeys(Layer layer) {
        Layer underlying = underlying((AdaptedLayer) layer);
        return underlying.initializer().biasKeys(underlying);
    }

    @Override
    public boolean isWeightParam(Layer layer, String key) {
        return weightKeys(layer).contains(key);
    }

    @Override
    public boolean isBiasParam(Layer layer, String key) {
        return biasKeys(layer).contains(key);
    }

    /** Returns the views; the start of the adapters is the running layer's work. */
    @Override
    public Map<String, INDArray> init(NeuralNetConfiguration conf, INDArray paramsView, boolean initializeParams) {
        AdaptedLayer layer = (AdaptedLayer) conf.getLayer();
        NeuralNetConfiguration inner = inner(conf, layer);
        Map<String, INDArray> all = new LinkedHashMap<>(
                inner.getLayer().initializer().init(inner, base(layer, paramsView), initializeParams));
        all.putAll(tensors(layer, paramsView));
        return all;
    }

    @Override
    public Map<String, INDArray> getGradientsFromFlattened(NeuralNetConfiguration conf, INDArray gradientView) {
        AdaptedLayer layer = (AdaptedLayer) conf.getLayer();
        NeuralNetConfiguration inner = inner(conf, layer);
        Map<String, INDArray> all = new LinkedHashMap<>(
                inner.getLayer().initializer().getGradientsFromFlattened(inner, base(layer, gradientView)));
        all.putAll(tensors(layer, gradientView));
        return all;
    }

    /** Returns a copy of a configuration with the original layer in it. */
    public static NeuralNetConfiguration inner(NeuralNetConfiguration conf, AdaptedLayer layer) {
        return InnerParameters.with(layer.getUnderlying(), conf);
    }

    private static Layer underlying(AdaptedLayer layer) {
        return layer.getUnderlying();
    }

    private static long baseLength(AdaptedLayer layer) {
        return InnerParameters.count(underlying(layer));
    }

    private static Map<String, AdapterTensor> layout(AdaptedLayer layer) {
        Map<String, AdapterTensor> layout = new LinkedHashMap<>();
        layer.getAdapters().forEach(adapter -> layout.putAll(adapter.layout()));
        return layout;
    }

    private static INDArray flat(INDArray view) {
        return view.reshape(view.length());
    }
}
