package dev.samediff.tuning.arbiter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.deeplearning4j.arbiter.optimize.api.AbstractParameterSpace;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;
import org.deeplearning4j.arbiter.optimize.api.TaskCreator;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.data.DataSource;
import org.deeplearning4j.arbiter.optimize.api.score.ScoreFunction;
import org.deeplearning4j.arbiter.optimize.api.termination.MaxCandidatesCondition;
import org.deeplearning4j.arbiter.optimize.api.termination.MaxTimeCondition;
import org.deeplearning4j.arbiter.optimize.api.termination.TerminationCondition;
import org.deeplearning4j.arbiter.optimize.config.OptimizationConfiguration;
import org.deeplearning4j.arbiter.optimize.generator.GeneticSearchCandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.GridSearchCandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.GridSearchCandidateGenerator.Mode;
import org.deeplearning4j.arbiter.optimize.generator.RandomSearchGenerator;
import org.deeplearning4j.arbiter.optimize.parameter.continuous.ContinuousParameterSpace;
import org.deeplearning4j.arbiter.optimize.parameter.discrete.DiscreteParameterSpace;
import org.deeplearning4j.arbiter.optimize.runner.CandidateInfo;
import org.deeplearning4j.arbiter.optimize.runner.CandidateStatus;
import org.deeplearning4j.arbiter.optimize.runner.IOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.LocalOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.listener.StatusListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What Arbiter beta7 does by itself, and why {@link OrderedGenerator}, {@link Generators} and {@link Outcomes} exist. When
 * one of these fails, a new Arbiter may have mended it. {@code SweepTest} and {@code LocalTrialsTest} show the same cases in a
 * sweep.
 */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ArbiterDefectsTest {
    private static final long PATIENCE_MILLIS = 2500;
    private static final double FAIL = -1;

    @Test
    void an_exhausted_grid_never_returns() throws InterruptedException {
        Thread runner = background(grid(3), index -> 1, 1, new MaxCandidatesCondition(10));
        assertThat(runner.isAlive()).isTrue();
    }

    @Test
    void candidates_that_fail_are_not_counted() throws InterruptedException {
        AtomicInteger generated = new AtomicInteger();
        ParameterSpace<Double> broken = new ContinuousParameterSpace(0, 1) {
            @Override
            public Double getValue(double[] coordinates) {
                generated.incrementAndGet();
                if (stop) {
                    return 0.5;
                }
                throw new IllegalStateException("no value");
            }
        };
        Thread runner = background(new RandomSearchGenerator(broken), index -> 1, 1, new MaxCandidatesCondition(3));
        assertThat(runner.isAlive()).isTrue();
        assertThat(generated.get()).isGreaterThan(100);
        stop = true;
    }

    @Test
    void a_choice_of_one_value_fails_in_a_grid() {
        CandidateGenerator grid = new GridSearchCandidateGenerator(
                new Pair(new DiscreteParameterSpace<>("only"), new DiscreteParameterSpace<>("a", "b")),
                2,
                Mode.Sequential,
                Map.of());
        while (grid.hasMoreCandidates()) {
            assertThat(grid.getCandidate().getException()).isInstanceOf(ArrayIndexOutOfBoundsException.class);
        }
    }

    @Test
    void a_nan_stays_the_best_score() {
        LocalOptimizationRunner runner = runner(
                new RandomSearchGenerator(new ContinuousParameterSpace(0, 1)),
                index -> index == 0 ? Double.NaN : index,
                1,
                new MaxCandidatesCondition(4));
        runner.execute();
        assertThat(runner.bestScore()).isNaN();
    }

    @Test
    void an_error_in_a_task_leaves_no_trace() {
        LocalOptimizationRunner runner = runner(
                new RandomSearchGenerator(new ContinuousParameterSpace(0, 1)),
                index -> {
                    throw new NoClassDefFoundError("as if");
                },
                1,
                new MaxCandidatesCondition(2));
        runner.execute();
        assertThat(runner.numCandidatesFailed()).isPositive();
        assertThat(runner.getCandidateStatus())
                .allSatisfy(info -> assertThat(info.getCandidateStatus()).isEqualTo(CandidateStatus.Created))
                .allSatisfy(info -> assertThat(info.getExceptionStackTrace()).isNull());
    }

    @Test
    void failed_trials_are_not_reported_to_the_generator() {
        List<Integer> reported = new ArrayList<>();
        CandidateGenerator generator = new RandomSearchGenerator(new ContinuousParameterSpace(0, 1)) {
            @Override
            public void reportResults(OptimizationResult result) {
                reported.add(result.getIndex());
            }
        };
        LocalOptimizationRunner runner =
                runner(generator, index -> index == 1 ? FAIL : index, 1, new MaxCandidatesCondition(4));
        runner.execute();
        assertThat(reported).contains(0, 2).doesNotContain(1);
    }

    @Test
    void a_time_limit_does_not_interrupt_a_running_trial() {
        List<Long> durations = new ArrayList<>();
        LocalOptimizationRunner runner = runner(
                new RandomSearchGenerator(new ContinuousParameterSpace(0, 1)),
                index -> {
                    long start = System.nanoTime();
                    sleep(3000);
                    durations.add((System.nanoTime() - start) / 1_000_000);
                    return 1;
                },
                1,
                new MaxTimeCondition(1500, java.util.concurrent.TimeUnit.MILLISECONDS));
        runner.execute();
        assertThat(durations.get(0)).isGreaterThanOrEqualTo(2900);
    }

    @Test
    void parallel_trials_overshoot() {
        AtomicInteger runs = new AtomicInteger();
        LocalOptimizationRunner runner = runner(
                new RandomSearchGenerator(new ContinuousParameterSpace(0, 1)),
                index -> {
                    sleep(20L + 15 * (index % 2));
                    return runs.incrementAndGet();
                },
                2,
                new MaxCandidatesCondition(5));
        runner.execute();
        sleep(200);
        assertThat(runs.get()).isGreaterThan(5);
    }

    @Test
    void seeds_do_not_reach_random_grids_and_genetic_search() {
        assertThat(order(grid(500))).isNotEqualTo(order(grid(500)));
        ParameterSpace<Double> space = new ContinuousParameterSpace(0, 1);
        List<Object> first = genes(new GeneticSearchCandidateGenerator.Builder(space, LowerIsBetter.INSTANCE).build());
        List<Object> second = genes(new GeneticSearchCandidateGenerator.Builder(space, LowerIsBetter.INSTANCE).build());
        assertThat(first).isNotEqualTo(second);
    }

    @Test
    void a_configuration_read_from_json_forgets_its_seed() {
        OptimizationConfiguration written = new OptimizationConfiguration.Builder()
                .candidateGenerator(new RandomSearchGenerator(new ContinuousParameterSpace(0, 1)))
                .terminationConditions(new MaxCandidatesCondition(1))
                .rngSeed(7)
                .build();
        double seeded = written.getCandidateGenerator().getCandidate().getFlatParameters()[0];
        OptimizationConfiguration read = OptimizationConfiguration.fromJson(written.toJson());
        assertThat(read.getRngSeed()).isEqualTo(7);
        assertThat(read.getCandidateGenerator().getCandidate().getFlatParameters()[0])
                .isNotEqualTo(seeded);
    }

    /** Two parameters. */
    private static final class Pair extends AbstractParameterSpace<String> {
        private final ParameterSpace<String> first;
        private final ParameterSpace<String> second;

        Pair(ParameterSpace<String> first, ParameterSpace<String> second) {
            this.first = first;
            this.second = second;
        }

        @Override
        public String getValue(double[] coordinates) {
            return first.getValue(coordinates) + second.getValue(coordinates);
        }

        @Override
        public int numParameters() {
            return 2;
        }

        @Override
        @SuppressWarnings("rawtypes")
        public List<ParameterSpace> collectLeaves() {
            return List.of(first, second);
        }

        @Override
        public boolean isLeaf() {
            return false;
        }

        @Override
        public void setIndices(int... indices) {
            throw new UnsupportedOperationException("this space is no leaf: the indices are its leaves'");
        }
    }

    private static List<Object> order(CandidateGenerator generator) {
        generator.setRngSeed(1);
        return IntStream.range(0, 20)
                .mapToObj(i -> generator.getCandidate().getValue())
                .toList();
    }

    private static List<Object> genes(CandidateGenerator generator) {
        return order(generator);
    }

    private static GridSearchCandidateGenerator grid(int points) {
        return new GridSearchCandidateGenerator(
                new ContinuousParameterSpace(0, 1), points, Mode.RandomOrder, new HashMap<>());
    }

    private volatile boolean stop;

    /** Starts a run in a daemon thread and waits long enough for it to have ended. */
    private Thread background(
            CandidateGenerator generator, IntToDoubleFunction trial, int parallel, TerminationCondition condition)
            throws InterruptedException {
        LocalOptimizationRunner runner = runner(generator, trial, parallel, condition, new StopWhenAsked());
        Thread thread = new Thread(runner::execute, "arbiter");
        thread.setDaemon(true);
        thread.start();
        thread.join(PATIENCE_MILLIS);
        return thread;
    }

    private final class StopWhenAsked implements TerminationCondition {
        @Override
        public void initialize(IOptimizationRunner runner) {
            // nothing to prepare
        }

        @Override
        public boolean terminate(IOptimizationRunner runner) {
            return stop;
        }
    }

    private static LocalOptimizationRunner runner(
            CandidateGenerator generator, IntToDoubleFunction trial, int parallel, TerminationCondition... conditions) {
        OptimizationConfiguration configuration = new OptimizationConfiguration.Builder()
                .candidateGenerator(generator)
                .scoreFunction(LowerIsBetter.INSTANCE)
                .terminationConditions(conditions)
                .build();
        return new LocalOptimizationRunner(parallel, configuration, new Tasks(trial));
    }

    private record Tasks(IntToDoubleFunction trial) implements TaskCreator {
        @Override
        @SuppressWarnings("rawtypes")
        public Callable<OptimizationResult> create(
                Candidate candidate,
                DataProvider data,
                ScoreFunction score,
                List<StatusListener> listeners,
                IOptimizationRunner runner) {
            return () -> {
                int index = candidate.getIndex();
                double result = trial.applyAsDouble(index);
                CandidateStatus status = result == FAIL ? CandidateStatus.Failed : CandidateStatus.Complete;
                CandidateInfo info =
                        new CandidateInfo(index, status, result, 0, 0L, 0L, candidate.getFlatParameters(), null);
                return new OptimizationResult(candidate, result, index, null, info, null);
            };
        }

        @Override
        @SuppressWarnings("rawtypes")
        public Callable<OptimizationResult> create(
                Candidate candidate,
                Class<? extends DataSource> source,
                Properties properties,
                ScoreFunction score,
                List<StatusListener> listeners,
                IOptimizationRunner runner) {
            return create(candidate, null, score, listeners, runner);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
