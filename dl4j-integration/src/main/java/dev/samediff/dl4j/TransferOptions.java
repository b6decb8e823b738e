package dev.samediff.dl4j;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Sorsa;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * What both builders of {@link AdapterTransfer} let one say. All of it is optional: without a word, every matrix of the
 * network (embeddings are adapted only if they are named) gets SORSA of rank 8, and the network keeps its updater.
 *
 * @param <B> the builder
 */
public abstract class TransferOptions<B extends TransferOptions<B>> {
    private static final int DEFAULT_RANK = 8;

    AdapterMethod method = Sorsa.rank(DEFAULT_RANK);
    final Set<String> names = new LinkedHashSet<>();
    final Set<Integer> indices = new LinkedHashSet<>();
    final Set<String> trained = new LinkedHashSet<>();

    @Nullable
    TargetSelector selector;

    @Nullable
    FineTuneConfiguration fineTune;

    OptionalDouble peak = OptionalDouble.empty();
    long seed;

    TransferOptions() {}

    abstract B self();

    /**
     * Sets the method with its rank; the default is SORSA of rank 8.
     *
     * @throws InvalidInputException if the method acts after every update, which a network does not tell it
     */
    public B method(AdapterMethod adapterMethod) {
        if (adapterMethod.afterStep().isPresent()) {
            throw new InvalidInputException(
                    "the method " + adapterMethod.name() + " acts after every update (adalora cuts"
                            + " ranks, sorsa may make its vectors orthonormal), and DL4J's networks do not tell it of them; let it"
                            + " keep all ranks (target = rank), leave retraction out, or train the model with AdapterTrainer");
        }
        if (!adapterMethod.frozen().isEmpty()) {
            throw new InvalidInputException("the method " + adapterMethod.name() + " leaves " + adapterMethod.frozen()
                    + " as it starts, and adapters of DL4J's layers train all of their tensors; choose another method");
        }
        if (adapterMethod.bias().isPresent()) {
            throw new InvalidInputException(
                    "the method " + adapterMethod.name() + " adds a bias to layers, and DL4J's layers are"
                            + " adapted by their weights alone; choose another method, or train the layers' own biases by trainFully");
        }
        if (adapterMethod.unmergeable().isPresent()) {
            throw new InvalidInputException("the method " + adapterMethod.name()
                    + " is no change of a weight, and DL4J's layers are adapted by their weights alone; choose another"
                    + " method, or adapt the model as a graph and put it in as a vertex");
        }
        method = adapterMethod;
        return self();
    }

    /**
     * Chooses layers by name, each with all its weights; a weight of a layer with several is chosen by {@code layer.weight},
     * such as {@code lstm.RW}.
     */
    public B layers(String... layerNames) {
        names.addAll(Arrays.asList(layerNames));
        return self();
    }

    /** Chooses layers by number: in a {@code MultiLayerNetwork} its own, in a graph the place in topological order. */
    public B layers(int... layerIndices) {
        Arrays.stream(layerIndices).forEach(indices::add);
        return self();
    }

    /** Chooses the weights whose whole name, {@code layer} or {@code layer.weight}, matches a regular expression. */
    public B layersMatching(String regex) {
        return targets(TargetSelector.regex(regex));
    }

    /** Chooses weights by PEFT's rules, with exclusions and ranks and alphas by pattern. */
    public B targets(TargetSelector targetSelector) {
        selector = targetSelector;
        return self();
    }

    /**
     * Trains these layers, or vertices of a graph, in full, such as a new head: they stay as they are and are not frozen. A
     * {@code DropoutLayer} that is named goes on dropping in training.
     */
    public B trainFully(String... layerNames) {
        trained.addAll(Arrays.asList(layerNames));
        return self();
    }

    /** Sets updater, regularisation, seed and the like, as {@code TransferLearning} does. */
    public B fineTuneConfiguration(FineTuneConfiguration configuration) {
        fineTune = configuration;
        return self();
    }

    /**
     * Sets eta_max, the highest learning rate of the training, which the coefficient gamma / eta_max of SORSA's regulariser
     * needs. Without this call it is the updater's learning rate, which must be constant then.
     */
    public B peakLearningRate(double etaMax) {
        if (!(etaMax > 0) || Double.isInfinite(etaMax)) {
            throw new InvalidInputException(
                    "the peak learning rate " + etaMax + " is not a positive number; the penalty is divided by it");
        }
        peak = OptionalDouble.of(etaMax);
        return self();
    }

    /** Sets the seed of what is random in a start; each weight derives its own. The default is 0. */
    public B seed(long newSeed) {
        seed = newSeed;
        return self();
    }

    /** Returns what chooses the weights. */
    final TargetSelector selector(LayerChoice choice) {
        boolean listed = !names.isEmpty() || !indices.isEmpty();
        if (listed && selector != null) {
            throw new InvalidInputException("layers " + names + indices + " and the targets `" + selector.describe()
                    + "` both choose; give one of them");
        }
        return listed
                ? choice.named(names, indices)
                : Optional.ofNullable(selector)
                        .orElse(TargetSelector.allLinear().withHead());
    }
}
