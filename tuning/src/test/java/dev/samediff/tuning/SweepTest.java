package dev.samediff.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SweepTest {
    private static final AdapterSpace SIX = AdapterSpace.of(
            Parameter.of("a", new Range.Choice(List.of("x", "y"))),
            Parameter.of("fixed", new Range.Choice(List.of(1L))),
            Parameter.of("b", new Range.Choice(List.of(1L, 2L, 3L))));

    @TempDir
    Path folder;

    private int journals;

    @ParameterizedTest
    @EnumSource(Search.class)
    void a_seed_gives_the_same_sweep_whatever_the_timing(Search search) {
        SweepPlan plan = SweepPlan.of(24).withSearch(search).withParallel(2).withPruning(new Pruning.Median(4, 2));
        Random jitter = new Random(1);
        List<TrialResult> first = run(plan, Spaces::curve).trials();
        List<TrialResult> second = run(plan, context -> {
                    Thread.sleep(jitter.nextInt(12));
                    return Spaces.curve(context);
                })
                .trials();
        assertSame(second, first);
        assertThat(first).hasSize(24).extracting(TrialResult::index).isSorted();
        List<ParameterValues> other = run(plan.withSeed(2), Spaces::curve).trials().stream()
                .map(TrialResult::parameters)
                .toList();
        if (search != Search.GRID) {
            assertThat(other)
                    .isNotEqualTo(first.stream().map(TrialResult::parameters).toList());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Search.class,
            names = {"GRID", "GRID_RANDOM"})
    void an_exhausted_grid_ends_with_every_point_once(Search search) {
        SweepResult result = run(SIX, SweepPlan.of(100).withSearch(search).withParallel(2), context -> 1.0);
        assertThat(result.trials()).hasSize(6);
        assertThat(result.trials().stream().map(TrialResult::parameters).distinct())
                .hasSize(6);
        assertThat(result.trials())
                .allSatisfy(trial -> assertThat(trial.parameters().values())
                        .containsEntry("fixed", 1L)
                        .containsOnlyKeys("a", "fixed", "b"));
    }

    @Test
    void points_that_conditions_make_equal_are_tried_once() {
        AdapterSpace space = AdapterSpace.of(
                Parameter.of("method", new Range.Choice(List.of("sorsa", "lora"))),
                Parameter.of("gamma", new Range.LogUniform(1e-4, 1e-1)).when("method", "sorsa"));
        SweepResult result = run(space, SweepPlan.of(50).withSearch(Search.GRID), context -> 1.0);
        assertThat(result.trials())
                .extracting(trial -> trial.parameters().toString())
                .containsExactlyInAnyOrder(
                        "method=sorsa gamma=1.0E-4",
                        "method=sorsa gamma=0.001",
                        "method=sorsa gamma=0.01",
                        "method=sorsa gamma=0.1",
                        "method=lora");
    }

    @Test
    void there_are_never_more_trials_than_planned() {
        AtomicInteger runs = new AtomicInteger();
        for (int parallel = 1; parallel <= 4; parallel++) {
            runs.set(0);
            SweepPlan plan = SweepPlan.of(13).withSearch(Search.RANDOM).withParallel(parallel);
            assertThat(run(plan, context -> runs.incrementAndGet()).trials()).hasSize(13);
            assertThat(runs.get()).isEqualTo(13);
        }
    }

    @Test
    void failing_trials_are_counted_and_never_the_best() {
        SweepResult result = run(SweepPlan.of(12).withSearch(Search.RANDOM), context -> {
            return switch (context.index() % 4) {
                case 0 -> Double.NaN;
                case 1 -> throw new IllegalStateException("no luck");
                case 2 -> throw new NoClassDefFoundError("as if");
                default -> Spaces.distance(context.parameters());
            };
        });
        assertThat(result.trials()).hasSize(12);
        assertThat(result.count(TrialState.FAILED)).isEqualTo(9);
        assertThat(result.best().orElseThrow().index() % 4).isEqualTo(3);
        assertThat(result.trials().get(1).error()).contains("no luck");
        assertThat(result.trials().get(2).error()).contains("NoClassDefFoundError");
    }

    @Test
    void a_sweep_in_which_everything_fails_ends_and_has_no_best() {
        SweepResult result = run(SweepPlan.of(15).withPruning(new Pruning.Median(2, 0)), context -> Double.NaN);
        assertThat(result.count(TrialState.FAILED)).isEqualTo(15);
        assertThat(result.best()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Search.class)
    void an_interrupted_sweep_goes_on_to_the_same_results(Search search) {
        SweepPlan plan = SweepPlan.of(18).withSearch(search).withParallel(2).withPruning(new Pruning.Asha(1, 2));
        List<TrialResult> whole = run(plan, Spaces::curve).trials();
        List<TrialResult> order = new ArrayList<>(whole);
        Collections.shuffle(order, new Random(3));
        for (int kept : new int[] {0, 5, 17, 18}) {
            Path file = folder.resolve("journal" + journals++);
            try (Journal journal = Journal.open(file)) {
                order.subList(0, kept).forEach(journal::append);
            }
            AtomicInteger runs = new AtomicInteger();
            try (Journal journal = Journal.open(file)) {
                SweepResult resumed = sweep(Spaces.MIXED, plan, context -> {
                            runs.incrementAndGet();
                            return Spaces.curve(context);
                        })
                        .run(journal);
                assertSame(resumed.trials(), whole);
            }
            assertThat(runs.get()).as("only what was missing").isEqualTo(18 - kept);
        }
    }

    @Test
    void a_journal_of_another_sweep_is_refused() {
        Path file = folder.resolve("other");
        try (Journal journal = Journal.open(file)) {
            sweep(Spaces.MIXED, SweepPlan.of(3), Spaces::curve).run(journal);
        }
        try (Journal journal = Journal.open(file)) {
            Sweep other = sweep(Spaces.MIXED, SweepPlan.of(3).withSeed(2), Spaces::curve);
            assertThatThrownBy(() -> other.run(journal))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("another space, seed or search");
        }
    }

    @Test
    void a_journal_that_cannot_be_written_ends_the_sweep() {
        Journal journal = Journal.open(folder.resolve("closed"));
        AtomicInteger runs = new AtomicInteger();
        Sweep sweep = sweep(Spaces.MIXED, SweepPlan.of(50), context -> {
            if (runs.incrementAndGet() == 3) {
                journal.close();
            }
            return 1;
        });
        assertThatThrownBy(() -> sweep.run(journal)).isInstanceOf(UncheckedIOException.class);
        assertThat(runs.get()).isEqualTo(3);
    }

    @Test
    void pruned_trials_keep_their_curve_and_save_steps() throws IOException {
        SweepPlan plan = SweepPlan.of(24).withSearch(Search.RANDOM);
        SweepResult all = run(plan, Spaces::curve);
        SweepResult pruned = run(plan.withPruning(new Pruning.Median(4, 2)), Spaces::curve);
        assertThat(pruned.count(TrialState.PRUNED)).isPositive();
        assertThat(steps(pruned)).isLessThan(steps(all));
        assertThat(pruned.best().orElseThrow().parameters())
                .isEqualTo(all.best().orElseThrow().parameters());
        assertThat(pruned.trials().stream().filter(trial -> trial.state() == TrialState.PRUNED))
                .allSatisfy(trial -> assertThat(trial.score())
                        .isEqualTo(trial.curve().last().orElseThrow().value()));
        assertThat(Files.readAllLines(folder.resolve("journal1"))).hasSize(24);
    }

    private static long steps(SweepResult result) {
        return result.trials().stream()
                .mapToLong(trial -> trial.curve().points().size())
                .sum();
    }

    private SweepResult run(SweepPlan plan, Trial trial) {
        return run(Spaces.MIXED, plan, trial);
    }

    private SweepResult run(AdapterSpace space, SweepPlan plan, Trial trial) {
        try (Journal journal = Journal.open(folder.resolve("journal" + journals++))) {
            return sweep(space, plan, trial).run(journal);
        }
    }

    private static Sweep sweep(AdapterSpace space, SweepPlan plan, Trial trial) {
        return new Sweep(space, plan, new LocalTrials(trial));
    }

    private static void assertSame(List<TrialResult> actual, List<TrialResult> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            TrialResult one = actual.get(i);
            assertThat(one.sameAs(expected.get(i)))
                    .as("%s and %s", one, expected.get(i))
                    .isTrue();
        }
    }
}
