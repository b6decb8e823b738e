package dev.samediff.dl4j;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.LearningRates;
import dev.samediff.dl4j.conf.WeightAdapter;
import dev.samediff.dl4j.layer.Starts;
import dev.samediff.dl4j.weight.AdaptableWeight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Which layers of a network get which adapters, and what these start from. Every error is found here. */
final class Adaptation {
    private final TransferOptions<?> options;
    private final LayerChoice choice;
    private final Set<String> chosen;
    private final TargetSelector selector;
    private final Map<String, List<WeightAdapter>> adapters = new LinkedHashMap<>();
    private final Map<String, Map<String, INDArray>> starts = new LinkedHashMap<>();

    Adaptation(TransferOptions<?> options, List<NetworkLayer> layers) {
        this.options = options;
        this.choice = new LayerChoice(layers);
        this.selector = options.selector(choice);
        this.chosen = new TreeSet<>(choice.select(selector));
        options.trained.forEach(this::requireFree);
        layers.forEach(this::adapt);
    }

    private void requireFree(String trained) {
        List<String> both = choice.layer(trained).modules().stream()
                .filter(chosen::contains)
                .toList();
        if (!both.isEmpty() && (options.selector != null || !options.names.isEmpty() || !options.indices.isEmpty())) {
            throw new InvalidInputException("the layer `" + trained + "` is to be trained in full and to be adapted ("
                    + both + "); give one of them");
        }
        both.forEach(chosen::remove);
    }

    private void adapt(NetworkLayer layer) {
        INDArray parameters = layer.parameters();
        if (parameters == null) {
            return;
        }
        for (AdaptableWeight weight : layer.weights()) {
            String module = layer.module(weight);
            if (!chosen.contains(module)) {
                continue;
            }
            AdapterMethod method = options.method;
            int rank = selector.rank(module, method.rank());
            double alpha = selector.alpha(module, method.alpha()).orElse(rank);
            SiteShape site =
                    new SiteShape(module, weight.in(), weight.out(), rank, method.scaling(rank, alpha), weight.kind());
            long seed = 31 * options.seed + module.hashCode();
            INDArray matrix = weight.view().of(stored(layer.configuration(), parameters, weight));
            Factorization start = Starts.factorize(matrix, site, method, seed);
            WeightAdapter adapter = WeightAdapter.of(
                    weight.parameter(), site, method, alpha, seed, start, peak(layer, weight), chosen.size());
            adapters.computeIfAbsent(layer.name(), name -> new ArrayList<>()).add(adapter);
            adapter.tensors().forEach(tensor -> {
                Map<String, INDArray> ofLayer = starts.computeIfAbsent(layer.name(), name -> new LinkedHashMap<>());
                INDArray value = start.trainables().get(tensor.name());
                ofLayer.put(adapter.key(tensor), value);
                ofLayer.put(adapter.startKey(tensor), value);
            });
        }
    }

    private static INDArray stored(Layer configuration, INDArray parameters, AdaptableWeight weight) {
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(configuration);
        INDArray stored = configuration
                .initializer()
                .init(conf, parameters.reshape(parameters.length()), false)
                .get(weight.parameter());
        if (stored == null) {
            throw new IllegalStateException("the layer " + configuration + " has no parameter " + weight.parameter());
        }
        return stored;
    }

    /** eta_max, or 0 for a method without a penalty. */
    private double peak(NetworkLayer layer, AdaptableWeight weight) {
        if (options.method.penalty().isEmpty()) {
            return 0;
        }
        return options.peak.orElseGet(() -> LearningRates.constant(
                        AdaptedLayer.withUpdater(layer.configuration()).getUpdaterByParam(weight.parameter()))
                .orElseThrow(() -> new InvalidInputException("the penalty of " + options.method.name()
                        + " needs the highest learning rate, and the updater of the layer `" + layer.name()
                        + "` has no constant one; give it with peakLearningRate")));
    }

    /** Whether a layer has anything to train. */
    boolean trains(String name) {
        return adapters.containsKey(name) || options.trained.contains(name);
    }

    /** The new configuration of a layer that gradients pass; the same one if nothing of it has to be frozen. */
    Layer configuration(NetworkLayer layer) {
        if (layer.parameters() == null || options.trained.contains(layer.name())) {
            return layer.configuration();
        }
        return new AdaptedLayer(layer.configuration(), adapters.getOrDefault(layer.name(), List.of()));
    }

    /** The new configuration of a layer that no gradient has to reach. DL4J loses the name if it is not set again. */
    static Layer frozen(NetworkLayer layer) {
        FrozenLayer frozen = new FrozenLayer(layer.configuration());
        frozen.setLayerName(layer.name());
        return frozen;
    }

    /** Returns what the tensors of a layer start from, by DL4J's names. */
    Map<String, INDArray> starts(String name) {
        return starts.getOrDefault(name, Map.of());
    }
}
