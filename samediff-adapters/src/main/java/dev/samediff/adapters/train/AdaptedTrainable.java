package dev.samediff.adapters.train;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.FollowedSites;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.PenalizedSites;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SameDiff;

/** The active adapters of a model. */
final class AdaptedTrainable implements Trainable {
    private final AdaptedModel model;

    AdaptedTrainable(AdaptedModel model, TaskLoss loss) {
        this.model = model;
        model.useLoss(loss.loss());
    }

    @Override
    public SameDiff graph() {
        return model.graph();
    }

    @Override
    public List<String> trainableNames() {
        return model.trainableNames();
    }

    @Override
    public List<PenalizedSites> penalties() {
        return List.copyOf(model.penalties().values());
    }

    @Override
    public Map<String, Double> dropouts() {
        Map<String, Double> dropouts = new TreeMap<>();
        for (String name : model.activeAdapterNames()) {
            double dropout = model.config(name).dropout();
            if (dropout > 0) {
                dropouts.put(name, dropout);
            }
        }
        return dropouts;
    }

    @Override
    public List<FollowedSites> afterSteps() {
        return List.copyOf(model.afterSteps().values());
    }

    @Override
    public void peakLearningRate(double peak) {
        model.peakLearningRate(peak);
    }

    /** One value for each active adapter, in the order of their names. */
    @Override
    public Map<String, String> description() {
        List<AdapterState> states =
                model.activeAdapterNames().stream().map(model::state).toList();
        Map<String, String> description = new TreeMap<>();
        description.put("adapters", each(states, state -> state.config().name()));
        description.put("base model", each(states, AdapterState::baseHash));
        description.put("method", each(states, state -> state.config().method().toString()));
        description.put(
                "adapter seed",
                each(states, state -> Long.toString(state.config().seed())));
        description.put(
                "layers", each(states, state -> Integer.toString(state.sites().size())));
        description.put("scaling", each(states, AdaptedTrainable::scaling));
        if (!dropouts().isEmpty()) {
            description.put("dropout", dropouts().toString());
        }
        if (states.stream().anyMatch(state -> !state.whole().isEmpty())) { // checkpoints of earlier builds do not say
            description.put(
                    "trained whole",
                    each(
                            states,
                            state -> state.whole().stream()
                                    .map(whole -> whole.key() + (whole.rows().isEmpty() ? "" : whole.rows()))
                                    .toList()
                                    .toString()));
        }
        return description;
    }

    private static String each(List<AdapterState> states, Function<AdapterState, String> value) {
        return states.stream().map(value).collect(Collectors.joining(", "));
    }

    /** The factor of the branches; by layer if it is not one for all. */
    private static String scaling(AdapterState state) {
        Map<String, Double> byLayer = new LinkedHashMap<>();
        state.sites().forEach(site -> byLayer.put(site.module(), site.scaling()));
        Set<Double> different = Set.copyOf(byLayer.values());
        return different.size() == 1 ? different.iterator().next().toString() : byLayer.toString();
    }

    @Override
    public void requireActive() {
        if (model.merged()) {
            throw new InvalidInputException(
                    "the adapters are merged into the weights, so training their tensors would change"
                            + " nothing; call unmerge() on the model first");
        }
        if (!model.enabled()) {
            throw new InvalidInputException(
                    "the adapters are switched off, so training their tensors would change nothing;"
                            + " call enable() on the model first");
        }
    }

    @Override
    public boolean meansEveryVariable() {
        return true;
    }
}
