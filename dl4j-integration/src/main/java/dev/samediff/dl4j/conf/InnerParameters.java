package dev.samediff.dl4j.conf;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parameters of a layer that holds another one: those of the inner layer. DL4J's own initialisers of such layers ask for
 * {@code numParams(layer)}, which is too small for a {@code VariationalAutoencoder}, an {@code AutoEncoder} and a {@code
 * CenterLossOutputLayer}: their initialisers override {@code numParams(conf)} alone.
 *
 * @param innerOf from a layer to the one inside
 */
public record InnerParameters(Function<Layer, Layer> innerOf) implements ParamInitializer {

    /** Returns how many numbers a layer's parameters are. */
    public static long count(Layer layer) {
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(layer);
        return layer.initializer().numParams(conf);
    }

    /** Returns a copy of a layer's configuration with another layer in it. */
    public static NeuralNetConfiguration with(Layer inner, NeuralNetConfiguration conf) {
        NeuralNetConfiguration copy = conf.clone();
        copy.setLayer(inner);
        copy.clearVariables();
        return copy;
    }

    private ParamInitializer initializer(Layer layer) {
        return innerOf.apply(layer).initializer();
    }

    @Override
    public long numParams(NeuralNetConfiguration conf) {
        return numParams(conf.getLayer());
    }

    @Override
    public long numParams(Layer layer) {
        return count(innerOf.apply(layer));
    }

    @Override
    public List<String> paramKeys(Layer layer) {
        return initializer(layer).paramKeys(innerOf.apply(layer));
    }

    @Override
    public List<String> weightKeys(Layer layer) {
        return initializer(layer).weightKeys(innerOf.apply(layer));
    }

    @Override
    public List<String> biasKeys(Layer layer) {
        return initializer(layer).biasKeys(innerOf.apply(layer));
    }

    @Override
    public boolean isWeightParam(Layer layer, String key) {
        return initializer(layer).isWeightParam(innerOf.apply(layer), key);
    }

    @Override
    public boolean isBiasParam(Layer layer, String key) {
        return initializer(layer).isBiasParam(innerOf.apply(layer), key);
    }

    @Override
    public Map<String, INDArray> init(NeuralNetConfiguration conf, INDArray paramsView, boolean initializeParams) {
        NeuralNetConfiguration inner = with(innerOf.apply(conf.getLayer()), conf);
        return inner.getLayer().initializer().init(inner, paramsView, initializeParams);
    }

    @Override
    public Map<String, INDArray> getGradientsFromFlattened(NeuralNetConfiguration conf, INDArray gradientView) {
        NeuralNetConfiguration inner = with(innerOf.apply(conf.getLayer()), conf);
        return inner.getLayer().initializer().getGradientsFromFlattened(inner, gradientView);
    }
}
