package dev.samediff.dl4j.weight;

import dev.samediff.dl4j.conf.AdaptedLayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/**
 * Which weights of a layer can be adapted. A layer type is one line here; types without a line are refused by name. Layers
 * of the user's own that extend DL4J's {@code SameDiffLayer} have their matrices adapted without a line.
 */
public final class AdaptableWeights {
    private static final String W = "W";
    private static final String RW = "RW";
    private static final String BIAS = "b";

    /** Exact types: what extends them, such as a separable convolution, uses its weight in another way. */
    private static final Map<Class<?>, Function<FeedForwardLayer, List<AdaptableWeight>>> TYPES = new LinkedHashMap<>();

    static {
        List.of(DenseLayer.class, OutputLayer.class, RnnOutputLayer.class, CenterLossOutputLayer.class)
                .forEach(type -> TYPES.put(
                        type,
                        layer -> List.of(AdaptableWeight.linear(W, layer.getNIn(), layer.getNOut())
                                .withBias(BIAS))));
        List.of(EmbeddingLayer.class, EmbeddingSequenceLayer.class)
                .forEach(type ->
                        TYPES.put(type, layer -> List.of(AdaptableWeight.table(W, layer.getNIn(), layer.getNOut()))));
        TYPES.put(LSTM.class, layer -> recurrent(layer, 4, MatrixView.IN_OUT));
        TYPES.put(GravesLSTM.class, layer -> recurrent(layer, 4, MatrixView.WITHOUT_PEEPHOLES));
        TYPES.put(SimpleRnn.class, layer -> recurrent(layer, 1, MatrixView.IN_OUT));
        List.of(ConvolutionLayer.class, Convolution2D.class, Convolution1DLayer.class, Convolution1D.class)
                .forEach(type -> TYPES.put(type, AdaptableWeights::convolution));
    }

    private AdaptableWeights() {}

    /** Returns the names of DL4J's layer types that can be adapted. */
    public static List<String> types() {
        return Stream.concat(
                        TYPES.keySet().stream().map(Class::getSimpleName),
                        Stream.of(
                                "SelfAttentionLayer",
                                "RecurrentAttentionLayer",
                                "SameDiffLayer",
                                "Bidirectional",
                                "LastTimeStep",
                                "MaskZeroLayer",
                                "TimeDistributed"))
                .toList();
    }

    /** Returns the name of a layer's type, with what a wrapper holds: {@code LastTimeStep(PReLULayer)}. */
    public static String name(Layer layer) {
        String name = layer.getClass().getSimpleName();
        if (layer instanceof Bidirectional both) {
            return name + "(" + name(both.getFwd()) + ")";
        }
        if (layer instanceof FrozenLayer frozen) {
            return name + "(" + name(frozen.getLayer()) + ")";
        }
        return layer instanceof BaseWrapperLayer wrapper ? name + "(" + name(wrapper.getUnderlying()) + ")" : name;
    }

    /**
     * Returns the weights of a layer that can be adapted; empty if there are none.
     *
     * @param layer configuration of a layer whose sizes are known
     */
    public static List<AdaptableWeight> of(Layer layer) {
        if (layer instanceof Bidirectional both) {
            return Stream.of("f", "b")
                    .flatMap(prefix -> of(both.getFwd()).stream().map(weight -> weight.prefixed(prefix)))
                    .toList();
        }
        if (layer instanceof FrozenLayer frozen) {
            return of(frozen.getLayer());
        }
        if (layer instanceof BaseWrapperLayer wrapper && !(layer instanceof AdaptedLayer)) {
            return of(wrapper.getUnderlying());
        }
        if (layer instanceof LearnedSelfAttentionLayer) {
            return List.of(); // DL4J M2.1's own layer throws in every forward pass
        }
        if (layer instanceof AbstractSameDiffLayer graph) {
            return ofGraph(graph);
        }
        Function<FeedForwardLayer, List<AdaptableWeight>> weights = TYPES.get(layer.getClass());
        return weights == null ? List.of() : weights.apply((FeedForwardLayer) layer);
    }

    private static List<AdaptableWeight> recurrent(FeedForwardLayer layer, int gates, MatrixView recurrentView) {
        long out = layer.getNOut();
        return List.of(
                AdaptableWeight.linear(W, layer.getNIn(), gates * out),
                AdaptableWeight.linear(RW, out, gates * out, recurrentView));
    }

    private static List<AdaptableWeight> convolution(FeedForwardLayer layer) {
        int[] kernel = ((ConvolutionLayer) layer).getKernelSize();
        long patch = layer instanceof Convolution1DLayer ? kernel[0] : (long) kernel[0] * kernel[1];
        return List.of(AdaptableWeight.linear(W, layer.getNIn() * patch, layer.getNOut(), MatrixView.KERNELS)
                .withBias(BIAS));
    }

    /** The projections of DL4J's attention layers, and every matrix of other layers. */
    private static List<AdaptableWeight> ofGraph(AbstractSameDiffLayer layer) {
        List<AdaptableWeight> weights = new ArrayList<>();
        Set<String> names = Set.copyOf(layer.getLayerParams().getWeightParameterKeys());
        layer.getLayerParams().getParamShapes().forEach((name, shape) -> {
            if (!names.contains(name)) {
                return;
            }
            if (shape.length == 2) {
                weights.add(AdaptableWeight.linear(name, shape[0], shape[1]));
            } else if (shape.length == 3 && Set.of("Wq", "Wk", "Wv").contains(name)) {
                weights.add(AdaptableWeight.linear(name, shape[2], shape[0] * shape[1], MatrixView.HEADS));
            }
        });
        return weights;
    }
}
