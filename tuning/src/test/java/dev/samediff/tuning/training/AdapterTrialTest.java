package dev.samediff.tuning.training;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.memory.NativeBlock;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.LocalTrials;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.Sweep;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AdapterTrialTest {
    private static final AdapterSpace SPACE = AdapterSpace.of(
            Parameter.of("method", new Range.Choice(List.of("sorsa", "olora", "pissa", "lora"))),
            Parameter.of("rank", new Range.Choice(List.of(1L, 2L, 4L))),
            Parameter.of("gamma", new Range.LogUniform(1e-4, 1e-2)).when("method", "sorsa"),
            Parameter.of("eta", new Range.LogUniform(1e-3, 1e-1)));
    private static final int STEPS = 6;

    @TempDir
    Path folder;

    @Test
    void a_trial_equals_a_training_by_hand_to_the_last_bit() {
        for (String method : List.of("sorsa", "olora", "pissa", "lora")) {
            ParameterValues values = values(method, 2);
            TrialResult trial = run(Classifier.trial(SPACE, STEPS), values, Duration.ZERO);
            assertThat(trial.error()).isEmpty();
            assertThat(trial.score()).isEqualTo(byHand(values));
            assertThat(trial.curve().points())
                    .extracting(LearningCurve.Point::step)
                    .containsExactly(2L, 4L, 6L);
            assertThat(trial.curve().last().orElseThrow().value()).isEqualTo(trial.score());
        }
    }

    static List<String> methods() {
        return AdapterMethods.names();
    }

    /** With an alpha, a gamma and a dropout that not every method has. */
    @ParameterizedTest
    @MethodSource("methods")
    void every_method_is_a_choice_of_a_sweep(String method) {
        AdapterSpace space = AdapterSpace.of(
                Parameter.of(
                        "method",
                        new Range.Choice(Stream.<Object>of("lora", "sorsa", method)
                                .distinct()
                                .toList())),
                Parameter.of("alpha", new Range.Uniform(1, 8)),
                Parameter.of("gamma", new Range.LogUniform(1e-4, 1e-2)));
        AdapterConfig common = AdapterConfig.of(Lora.rank(2)).withDropout(0.25);
        AdapterDefaults defaults = new AdapterDefaults(
                "lora",
                2,
                Optional.empty(),
                Map.of(),
                common,
                16,
                () -> TrainingPlan.builder().steps(STEPS).learningRate(1e-2).evaluateEvery(2));
        defaults.requireKnown(space);
        ParameterValues values = new ParameterValues(Map.of("method", method, "alpha", 4.0, "gamma", 1e-3));
        AdapterConfig config = defaults.adapter(values, 3);
        assertThat(config.method().name()).isEqualTo(method);
        assertThat(config.dropout()).isEqualTo(config.method().isLowRank() ? 0.25 : 0);
        TrialResult result = run(trial(space, defaults), values, Duration.ZERO);
        assertThat(result.error()).isEmpty();
        assertThat(result.state()).isEqualTo(TrialState.COMPLETE);
        assertThat(result.curve().last().orElseThrow().value())
                .isNotEqualTo(result.curve().points().get(0).value());
    }

    @Test
    void the_score_belongs_to_the_parameters_that_are_kept() {
        for (boolean restore : new boolean[] {true, false}) {
            AdapterDefaults overshooting = AdapterDefaults.of(() -> TrainingPlan.builder()
                    .steps(40)
                    .learningRate(0.3)
                    .schedule(Schedule.CONSTANT)
                    .evaluateEvery(1)
                    .earlyStopping(4, 0)
                    .restoreBest(restore));
            ParameterValues values = new ParameterValues(Map.of("method", "lora", "rank", 2L));
            TrialResult trial = run(trial(overshooting), values, Duration.ZERO);
            assertThat(trial.error()).isEmpty();
            assertThat(trial.score()).isEqualTo(lossOfWhatIsKept(overshooting, values));
            double last = trial.curve().last().orElseThrow().value();
            if (restore) {
                assertThat(trial.score()).isLessThan(last);
            } else {
                assertThat(trial.score()).isEqualTo(last);
            }
        }
    }

    private static AdapterTrial trial(AdapterDefaults defaults) {
        return trial(SPACE, defaults);
    }

    private static AdapterTrial trial(AdapterSpace space, AdapterDefaults defaults) {
        return new AdapterTrial(
                new BaseModels(Classifier.graph(), Map.of()),
                Classifier.data(),
                Classifier::loss,
                new String[] {"x"},
                defaults,
                AdapterTrial.cache(space, defaults));
    }

    private static double lossOfWhatIsKept(AdapterDefaults defaults, ParameterValues values) {
        SameDiff graph = Classifier.graph();
        AdaptedModel model = AdaptedModel.inject(graph, defaults.adapter(values, 3));
        TaskLoss loss = Classifier.loss(graph);
        try (AdapterTrainer trainer =
                new AdapterTrainer(model, loss, defaults.training(values, 3), Binding.of(loss, "x"))) {
            trainer.fit(Classifier.data().train(16, 3), Classifier.data().evaluation());
            return trainer.evaluate(Classifier.data().evaluation()).loss();
        }
    }

    @Test
    void trials_leave_nothing_to_those_after_or_beside_them() {
        SweepPlan plan = SweepPlan.of(12).withSearch(Search.RANDOM);
        List<TrialResult> oneByOne =
                sweep(plan, Classifier.trial(SPACE, STEPS), "one").trials();
        List<TrialResult> parallel = sweep(plan.withParallel(3), Classifier.trial(SPACE, STEPS), "three")
                .trials();
        for (int i = 0; i < 12; i++) {
            assertThat(parallel.get(i).sameAs(oneByOne.get(i))).isTrue();
            TrialResult alone =
                    run(Classifier.trial(SPACE, STEPS), oneByOne.get(i).parameters(), Duration.ZERO);
            assertThat(alone.score()).isEqualTo(oneByOne.get(i).score());
        }
        assertThat(oneByOne).extracting(TrialResult::state).containsOnly(TrialState.COMPLETE);
    }

    @Test
    void the_base_model_is_the_same_after_any_trial() {
        SameDiff graph = Classifier.graph();
        Map<String, INDArray> before = arrays(graph);
        Map<String, INDArray> copies = before.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().dup()));
        BaseModels models = new BaseModels(graph, Map.of());
        AdapterTrial trial = Classifier.trial(models, SPACE, STEPS);
        run(trial, values("sorsa", 4), Duration.ZERO);
        run(trial, new ParameterValues(Map.of("method", "lora", "rank", 99L)), Duration.ZERO);
        run(trial, values("lora", 2), Duration.ofMillis(1));
        assertThatBits(arrays(graph)).isEqualTo(copies);
        SameDiff lent = models.borrow();
        before.forEach((name, array) ->
                assertThat(lent.getVariable(name).getArr()).as(name).isSameAs(array));
        assertThat(lent.variables().stream()
                        .filter(v -> v.name().contains("lora") || v.name().contains("sorsa")))
                .isEmpty();
    }

    @Test
    void trials_that_run_at_the_same_time_read_the_same_weights() throws Exception {
        SameDiff base = Classifier.graph();
        CyclicBarrier together = new CyclicBarrier(2);
        List<Map<String, Long>> seen = Collections.synchronizedList(new ArrayList<>());
        AdapterDefaults defaults = Classifier.defaults(STEPS);
        AdapterTrial trial = new AdapterTrial(
                new BaseModels(base, Map.of()),
                Classifier.data(),
                graph -> {
                    await(together);
                    seen.add(addresses(graph));
                    await(together);
                    return Classifier.loss(graph);
                },
                new String[] {"x"},
                defaults,
                AdapterTrial.cache(SPACE, defaults));
        SweepPlan plan = SweepPlan.of(2).withParallel(2).withSearch(Search.GRID);
        AdapterSpace two = AdapterSpace.of(
                Parameter.of("method", new Range.Choice(List.of("sorsa"))),
                Parameter.of("rank", new Range.Choice(List.of(2L, 4L))),
                Parameter.of("targets", new Range.Choice(List.of("first"))));
        try (Journal journal = Journal.open(folder.resolve("together"))) {
            SweepResult result = new Sweep(two, plan, new LocalTrials(trial)).run(journal);
            assertThat(result.count(TrialState.COMPLETE)).isEqualTo(2);
        }
        assertThat(seen).hasSize(2);
        for (String frozen : List.of("second.weight", "head.weight")) {
            assertThat(seen)
                    .extracting(addresses -> addresses.get(frozen))
                    .containsOnly(addresses(base).get(frozen));
        }
        assertThat(seen.get(0).get("first.weight"))
                .as("residuals")
                .isNotEqualTo(seen.get(1).get("first.weight"));
    }

    private static Map<String, Long> addresses(SameDiff graph) {
        return arrays(graph).entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().data().platformAddress()));
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("the other trial does not run", e);
        }
    }

    @Test
    void a_diverging_trial_fails_and_the_next_one_does_not() {
        AdapterTrial trial = Classifier.trial(SPACE, 40);
        ParameterValues wild = new ParameterValues(Map.of("method", "lora", "rank", 2L, "eta", 1e30));
        TrialResult diverged = run(trial, wild, Duration.ZERO);
        assertThat(diverged.state()).isEqualTo(TrialState.FAILED);
        assertThat(diverged.attempts()).isEqualTo(1);
        assertThat(run(trial, values("sorsa", 2), Duration.ZERO).state()).isEqualTo(TrialState.COMPLETE);
    }

    @Test
    void a_long_training_ends_at_its_limit() {
        TrialResult late = run(Classifier.trial(SPACE, 1_000_000), values("sorsa", 2), Duration.ofMillis(700));
        assertThat(late.state()).isEqualTo(TrialState.FAILED);
        assertThat(late.error()).contains("longer than PT0.7S");
        assertThat(late.curve().points()).allMatch(point -> point.step() < 1_000_000);
    }

    @Test
    void hopeless_trainings_are_given_up() {
        SweepPlan plan = SweepPlan.of(16).withSearch(Search.RANDOM).withPruning(new Pruning.Median(4, 2));
        SweepResult result = sweep(plan, Classifier.trial(SPACE, 12), "pruned");
        assertThat(result.count(TrialState.PRUNED)).isPositive();
        assertThat(result.best()).isPresent();
    }

    @Test
    void memory_stays_level_over_many_trials() {
        BaseModels models = new BaseModels(Classifier.graph(), Map.of());
        AdapterTrial trial = Classifier.trial(models, SPACE, STEPS);
        for (int i = 0; i < 6; i++) {
            run(trial, values("sorsa", 4), Duration.ZERO);
        }
        int variables = models.borrow().variables().size();
        long before = nativeBytes();
        BaseModels fresh = new BaseModels(Classifier.graph(), Map.of());
        AdapterTrial other = Classifier.trial(fresh, SPACE, STEPS);
        for (int i = 0; i < 40; i++) {
            run(other, values(i % 2 == 0 ? "sorsa" : "olora", 4), Duration.ZERO);
        }
        assertThat(fresh.borrow().variables()).hasSize(variables);
        assertThat(nativeBytes() - before).as("bytes outside the Java heap").isLessThan(1_000_000);
    }

    private static long nativeBytes() {
        for (int i = 0; i < 5; i++) {
            System.gc();
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return Pointer.totalBytes() + NativeBlock.totalBytes();
    }

    private static double byHand(ParameterValues values) {
        AdapterDefaults defaults = Classifier.defaults(STEPS);
        SameDiff graph = Classifier.graph();
        AdaptedModel model = AdaptedModel.inject(graph, defaults.adapter(values, 3));
        TaskLoss loss = Classifier.loss(graph);
        try (AdapterTrainer trainer =
                new AdapterTrainer(model, loss, defaults.training(values, 3), Binding.of(loss, "x"))) {
            return trainer.fit(Classifier.data().train(16, 3), Classifier.data().evaluation())
                    .finalEvaluation()
                    .orElseThrow()
                    .loss();
        }
    }

    private static Map<String, INDArray> arrays(SameDiff graph) {
        return graph.variables().stream()
                .filter(variable -> variable.name().endsWith(".weight"))
                .collect(Collectors.toMap(variable -> variable.name(), variable -> variable.getArr()));
    }

    private static ParameterValues values(String method, long rank) {
        return new ParameterValues(
                method.equals("sorsa")
                        ? Map.of("method", method, "rank", rank, "eta", 2e-2, "gamma", 1e-3)
                        : Map.of("method", method, "rank", rank, "eta", 2e-2));
    }

    private static TrialResult run(AdapterTrial trial, ParameterValues values, Duration limit) {
        TrialSpec spec = new TrialSpec(0, values, 3, 1, limit, 0, new Pruning.None(), List.of());
        return new LocalTrials(trial).execute(spec, report -> {});
    }

    private SweepResult sweep(SweepPlan plan, AdapterTrial trial, String name) {
        try (Journal journal = Journal.open(folder.resolve(name))) {
            return new Sweep(SPACE, plan.withSeed(3), new LocalTrials(trial)).run(journal);
        }
    }
}
