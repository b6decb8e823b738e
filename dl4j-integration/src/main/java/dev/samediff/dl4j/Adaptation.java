package dev.samediff.dl4j;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.CorrectedLayer;
import dev.samediff.dl4j.conf.LearningRates;
import dev.samediff.dl4j.conf.StillLayer;
import dev.samediff.dl4j.conf.WeightAdapter;
import dev.samediff.dl4j.layer.RunningConfigurations;
import dev.samediff.dl4j.layer.Starts;
import dev.samediff.dl4j.weight.AdaptableWeight;
import dev.samediff.dl4j.weight.AdaptableWeights;
import dev.samediff.dl4j.weight.MatrixView;
import dev.samediff.dl4j.weight.WeightOwner;
import dev.samediff.dl4j.weight.WrongDropout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Which layers of a network get which adapters, and what these start from. Every error is found here. */
final class Adaptation {
    private final TransferOptions<?> options;
    private final LayerChoice choice;
    private final Set<String> chosen;
    private final TargetSelector selector;
    private final Map<String, List<WeightAdapter>> adapters = new LinkedHashMap<>();
    private final Map<String, Map<String, INDArray>> starts = new LinkedHashMap<>();

    /**
     * Decides.
     *
     * @param layers the network's layers
     * @param vertices names of vertices without a layer that can be trained in full
     */
    Adaptation(TransferOptions<?> options, List<NetworkLayer> layers, Set<String> vertices) {
        layers.forEach(Adaptation::requireGradient);
        this.options = options;
        this.choice = new LayerChoice(layers);
        this.selector = options.selector(choice);
        this.chosen = new TreeSet<>(choice.select(selector));
        options.trained.stream().filter(name -> !vertices.contains(name)).forEach(this::requireFree);
        layers.forEach(this::adapt);
    }

    private void requireFree(String trained) {
        NetworkLayer layer = choice.layer(trained);
        layer.owners().forEach(owner -> requireNoNoise(layer, owner));
        requireRightDropout(layer);
        List<String> both = layer.modules().stream().filter(chosen::contains).toList();
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
            requireSettings(layer, weight);
            requireRightDropout(layer);
            AdapterMethod method = options.method;
            int rank = selector.rank(module, method.rank());
            double alpha = selector.alpha(module, method.alpha()).orElse(rank);
            SiteShape site =
                    new SiteShape(module, weight.in(), weight.out(), rank, method.scaling(rank, alpha), weight.kind());
            long seed = 31 * options.seed + module.hashCode();
            INDArray matrix = weight.view().of(stored(layer.configuration(), parameters, weight));
            Factorization start = Starts.factorize(matrix, site, method, seed);
            requireProduct(method, weight, module, start);
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

    /** A place in a patch is no input of the layer. */
    private static void requireProduct(
            AdapterMethod method, AdaptableWeight weight, String module, Factorization start) {
        boolean inputs = method.scales()
                .filter(scales -> start.trainables().containsKey(scales.inputs()))
                .isPresent();
        if (inputs && weight.view() == MatrixView.KERNELS) {
            throw new InvalidInputException("`" + module + "` is a convolution, and " + method.name()
                    + " would multiply its inputs; leave it out of the feed-forward layers, so that its outputs are"
                    + " multiplied, or leave the layer out");
        }
    }

    private static void requireSettings(NetworkLayer layer, AdaptableWeight weight) {
        WeightOwner owner = WeightOwner.of(layer.configuration(), weight.parameter());
        if (!owner.constraints().isEmpty()) {
            throw new InvalidInputException("the weight " + weight.parameter() + " of the layer `" + layer.name()
                    + "` has the constraint " + owner.constraints()
                    + ", to which W + delta of an adapter cannot be held:"
                    + " the projection of the sum is no product of low rank; leave the layer out, train it with"
                    + " trainFully(\"" + layer.name() + "\"), or take the constraint off with setConstraints(null)");
        }
        requireNoNoise(layer, owner);
    }

    private static void requireGradient(NetworkLayer layer) {
        if (AdaptedLayer.withUpdater(layer.configuration()) instanceof OCNNOutputLayer) {
            throw new InvalidInputException(
                    "the layer `" + layer.name() + "` is an OCNNOutputLayer, which hands down the"
                            + " error of its output instead of a gradient, so that nothing below it can be trained; put another"
                            + " output layer in its place before adapting");
        }
    }

    private static void requireRightDropout(NetworkLayer layer) {
        if (WrongDropout.isIn(AdaptedLayer.withUpdater(layer.configuration()))) {
            throw new InvalidInputException("the layer `" + layer.name() + "` of type "
                    + AdaptableWeights.name(layer.configuration()) + " has dropout, under which DL4J computes a wrong"
                    + " gradient of this type; leave it frozen, or take the dropout off with setIDropout(null)");
        }
    }

    private static void requireNoNoise(NetworkLayer layer, WeightOwner owner) {
        if (!owner.weightNoise().isEmpty()) {
            throw new InvalidInputException("the weight " + owner.parameter() + " of the layer `" + layer.name()
                    + "` has the weight noise " + owner.weightNoise()
                    + ", under which DL4J computes a wrong gradient of"
                    + " the weight (that of the noisy one); leave the layer out, or take the noise off with"
                    + " setWeightNoise(null)");
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
        boolean trained = options.trained.contains(layer.name());
        if (layer.parameters() == null || trained) {
            return RunningConfigurations.differ(layer.configuration(), !trained)
                    ? new CorrectedLayer(layer.configuration(), !trained)
                    : layer.configuration();
        }
        return new AdaptedLayer(layer.configuration(), adapters.getOrDefault(layer.name(), List.of()));
    }

    /** The new configuration of a layer that no gradient has to reach. */
    static Layer frozen(NetworkLayer layer) {
        return new StillLayer(layer.configuration());
    }

    /** Returns what the tensors of a layer start from, by DL4J's names. */
    Map<String, INDArray> starts(String name) {
        return starts.getOrDefault(name, Map.of());
    }
}
