package dev.samediff.dl4j.conf;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.method.AdapterMethods;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * An adapter on one weight of a layer, as the network's configuration keeps it. The method is kept by name and settings, so
 * that the configuration is plain JSON and can be sent to other machines.
 *
 * @param parameter DL4J's name of the weight: {@code W}, {@code RW}, {@code Wq}
 * @param module name for selectors and messages: the layer's, followed by the weight's if the layer has several
 * @param method the method's name
 * @param settings the method's settings, as {@link AdapterMethod#settings} gives them
 * @param rank rank
 * @param alpha alpha
 * @param scaling factor s of the branch
 * @param seed seed of the start
 * @param tensors the trainable tensors
 * @param startsAtZero whether the start changes nothing; otherwise the start's tensors are kept beside the trained ones
 * @param peakLearningRate eta_max of the penalty's coefficient gamma / eta_max
 * @param penalized how many adapted weights of the network share the penalty
 */
public record WeightAdapter(
        @JsonProperty("parameter") String parameter,
        @JsonProperty("module") String module,
        @JsonProperty("method") String method,
        @JsonProperty("settings") Map<String, String> settings,
        @JsonProperty("rank") int rank,
        @JsonProperty("alpha") double alpha,
        @JsonProperty("scaling") double scaling,
        @JsonProperty("seed") long seed,
        @JsonProperty("tensors") List<AdapterTensor> tensors,
        @JsonProperty("startsAtZero") boolean startsAtZero,
        @JsonProperty("peakLearningRate") double peakLearningRate,
        @JsonProperty("penalized") int penalized)
        implements Serializable {
    @JsonCreator
    public WeightAdapter {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
        tensors = List.copyOf(tensors);
    }

    /** Describes an adapter that starts from this factorisation. */
    public static WeightAdapter of(
            String parameter,
            SiteShape site,
            AdapterMethod method,
            double alpha,
            long seed,
            Factorization start,
            double peakLearningRate,
            int penalized) {
        return new WeightAdapter(
                parameter,
                site.module(),
                method.name(),
                method.settings(),
                site.rank(),
                alpha,
                site.scaling(),
                seed,
                start.trainables().entrySet().stream()
                        .map(tensor -> new AdapterTensor(
                                tensor.getKey(),
                                Arrays.stream(tensor.getValue().shape()).boxed().toList()))
                        .toList(),
                start.startsAtZero(),
                peakLearningRate,
                penalized);
    }

    /** Returns the method. */
    public AdapterMethod adapterMethod() {
        return AdapterMethods.named(method, rank, OptionalDouble.of(alpha), settings);
    }

    /**
     * Returns DL4J's name of a tensor, such as {@code W.loraA}. It has no {@code _}: DL4J's updaters cut the names of
     * gradients at the last one, and take the rest for the layer's name.
     */
    public String key(AdapterTensor tensor) {
        return parameter + "." + tensor.name().replace("_", "");
    }

    /** Returns DL4J's name of a tensor's frozen start, such as {@code W.sorsaA0}. */
    public String startKey(AdapterTensor tensor) {
        return key(tensor) + "0";
    }

    /** Returns the tensor with this name of DL4J, if it is a trainable one of this adapter. */
    public Optional<AdapterTensor> trainable(String key) {
        return tensors.stream().filter(tensor -> key(tensor).equals(key)).findFirst();
    }

    /** Returns the shapes by DL4J's names, in the order they lie behind the layer's own parameters. */
    public Map<String, AdapterTensor> layout() {
        Map<String, AdapterTensor> layout = new LinkedHashMap<>();
        tensors.forEach(tensor -> layout.put(key(tensor), tensor));
        if (!startsAtZero) {
            tensors.forEach(tensor -> layout.put(startKey(tensor), tensor));
        }
        return layout;
    }

    /** Returns the regularisation of a tensor by the method's penalty, if it has any. */
    public Optional<Regularization> penalty(AdapterTensor tensor) {
        Penalty penalty = adapterMethod().penalty().orElse(null);
        if (penalty == null || !PenaltyRegularization.dependsOn(penalty, tensor)) {
            return Optional.empty();
        }
        return Optional.of(
                new PenaltyRegularization(method, settings, tensor, penalized, penalty.coefficient(peakLearningRate)));
    }
}
