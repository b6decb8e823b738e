package dev.samediff.tuning.training;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.Schedule;
import dev.samediff.tuning.space.AdapterParameter;
import dev.samediff.tuning.space.ParameterValues;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/**
 * What holds where a space does not say.
 *
 * @param method adapter method
 * @param rank rank
 * @param alpha alpha; absent for scaling 1
 * @param gamma SORSA's gamma; absent for its default
 * @param targets layers, as {@link TargetSelector#parse} reads them
 * @param batch examples per batch
 * @param plan steps, learning rate, schedule, evaluations; a new builder at every call
 */
public record AdapterDefaults(
        String method,
        int rank,
        Optional<Double> alpha,
        Optional<Double> gamma,
        String targets,
        int batch,
        Supplier<TrainingPlan.Builder> plan) {
    /** Returns SORSA of rank 8 on all linear layers, batches of 16. */
    public static AdapterDefaults of(Supplier<TrainingPlan.Builder> plan) {
        return new AdapterDefaults(
                Sorsa.NAME, 8, Optional.empty(), Optional.empty(), TargetSelector.ALL_LINEAR, 16, plan);
    }

    /** Returns the adapter of a trial. */
    public AdapterConfig adapter(ParameterValues values, long seed) {
        String name = values.text(AdapterParameter.METHOD.key()).orElse(method);
        Optional<Double> weight = name.equals(Sorsa.NAME)
                ? values.number(AdapterParameter.GAMMA.key()).or(() -> gamma)
                : Optional.empty();
        AdapterMethod chosen = AdapterMethods.named(
                name,
                values.whole(AdapterParameter.RANK.key()).orElse(rank),
                values.number(AdapterParameter.ALPHA.key())
                        .or(() -> alpha)
                        .map(OptionalDouble::of)
                        .orElse(OptionalDouble.empty()),
                weight.map(number -> Map.of("gamma", number.toString())).orElse(Map.of()));
        return AdapterConfig.of(chosen)
                .withTargets(TargetSelector.parse(
                        values.text(AdapterParameter.TARGETS.key()).orElse(targets)))
                .withSeed(seed);
    }

    /** Returns the training plan of a trial. */
    public TrainingPlan training(ParameterValues values, long seed) {
        TrainingPlan.Builder builder = plan.get().seed(seed);
        values.number(AdapterParameter.ETA.key()).ifPresent(builder::learningRate);
        values.text(AdapterParameter.SCHEDULE.key()).map(Schedule::named).ifPresent(builder::schedule);
        return builder.build();
    }

    /** Returns the examples per batch of a trial. */
    public int batch(ParameterValues values) {
        return values.whole(AdapterParameter.BATCH.key()).orElse(batch);
    }
}
