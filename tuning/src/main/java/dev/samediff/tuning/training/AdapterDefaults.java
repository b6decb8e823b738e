package dev.samediff.tuning.training;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.Schedule;
import dev.samediff.tuning.space.AdapterParameter;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.HashMap;
import java.util.List;
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
 * @param settings other hyper-parameters of methods, as {@link AdapterMethod#settings} names them; each method of the sweep takes those
 *     that it has
 * @param common layers, dropout (of methods that have it) and tensors that are trained whole; its method and seed do not count
 * @param batch examples per batch
 * @param plan steps, learning rate, schedule, evaluations; a new builder at every call
 */
public record AdapterDefaults(
        String method,
        int rank,
        Optional<Double> alpha,
        Map<String, String> settings,
        AdapterConfig common,
        int batch,
        Supplier<TrainingPlan.Builder> plan) {
    private static final int RANK = 8;
    private static final int BATCH = 16;

    public AdapterDefaults {
        settings = Map.copyOf(settings);
    }

    /** Returns SORSA of rank 8 on all linear layers, batches of 16. */
    public static AdapterDefaults of(Supplier<TrainingPlan.Builder> plan) {
        AdapterConfig common = AdapterConfig.of(Sorsa.rank(RANK));
        return new AdapterDefaults(Sorsa.NAME, RANK, Optional.empty(), Map.of(), common, BATCH, plan);
    }

    /**
     * Refuses settings, gamma of the space among them, that no method of a sweep has.
     *
     * @throws dev.samediff.adapters.InvalidInputException that names the setting
     */
    public void requireKnown(AdapterSpace space) {
        List<String> methods = space.parameters().stream()
                .filter(parameter -> parameter.name().equals(AdapterParameter.METHOD.key()))
                .map(Parameter::range)
                .filter(Range.Choice.class::isInstance)
                .flatMap(range -> ((Range.Choice) range).values().stream())
                .map(Object::toString)
                .toList();
        Map<String, String> all = new HashMap<>(settings);
        space.parameters().stream()
                .map(Parameter::name)
                .filter(AdapterParameter.GAMMA.key()::equals)
                .forEach(gamma -> all.put(gamma, "varied"));
        AdapterMethods.requireKnown(methods.isEmpty() ? List.of(method) : methods, all);
    }

    /** Returns the adapter of a trial. */
    public AdapterConfig adapter(ParameterValues values, long seed) {
        Map<String, String> given = new HashMap<>(settings);
        values.number(AdapterParameter.GAMMA.key()).ifPresent(gamma -> given.put("gamma", gamma.toString()));
        AdapterMethod chosen = AdapterMethods.amongOthers(
                values.text(AdapterParameter.METHOD.key()).orElse(method),
                values.whole(AdapterParameter.RANK.key()).orElse(rank),
                values.number(AdapterParameter.ALPHA.key())
                        .or(() -> alpha)
                        .map(OptionalDouble::of)
                        .orElse(OptionalDouble.empty()),
                given);
        AdapterConfig config = common.forComparison(chosen).withSeed(seed);
        return values.text(AdapterParameter.TARGETS.key())
                .map(targets -> config.withTargets(common.targets().choosing(targets)))
                .orElse(config);
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
