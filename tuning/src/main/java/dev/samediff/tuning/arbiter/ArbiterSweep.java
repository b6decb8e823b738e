package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.SweepRecord;
import dev.samediff.tuning.TrialExecutor;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.ParameterValues;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.TaskCreator;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.data.DataSource;
import org.deeplearning4j.arbiter.optimize.api.score.ScoreFunction;
import org.deeplearning4j.arbiter.optimize.api.termination.TerminationCondition;
import org.deeplearning4j.arbiter.optimize.config.OptimizationConfiguration;
import org.deeplearning4j.arbiter.optimize.runner.IOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.LocalOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.listener.StatusListener;
import org.jspecify.annotations.Nullable;

/** Runs a sweep with Arbiter's generators and {@link LocalOptimizationRunner}. */
public final class ArbiterSweep {
    private ArbiterSweep() {}

    /**
     * Runs a sweep to its end.
     *
     * @param space what is varied
     * @param plan how it is searched
     * @param executor runs the trials
     * @param record holds known trials and takes the new ones
     */
    public static void run(AdapterSpace space, SweepPlan plan, TrialExecutor executor, SweepRecord record) {
        OrderedGenerator generator = new OrderedGenerator(
                Generators.of(plan.search(), new ArbiterSpace(space), plan.seed(), plan.gridPoints()), plan, record);
        if (generator.hasMoreCandidates()) { // else everything is in the journal
            OptimizationConfiguration configuration = new OptimizationConfiguration.Builder()
                    .candidateGenerator(generator)
                    .scoreFunction(LowerIsBetter.INSTANCE)
                    .terminationConditions(new WhenDone(generator))
                    .build();
            Tasks tasks = new Tasks(plan, executor, record, generator);
            new PromptRunner(plan.parallel(), configuration, tasks).execute();
        }
        generator.failure().ifPresent(failure -> {
            throw failure;
        });
    }

    /** Arbiter's runner waits a second for a result before it starts anything. */
    private static final class PromptRunner extends LocalOptimizationRunner {
        PromptRunner(int parallel, OptimizationConfiguration configuration, TaskCreator tasks) {
            super(parallel, configuration, tasks);
            completedFutures = new LinkedBlockingQueue<>() {
                private static final long serialVersionUID = 1L;

                @Override
                public @Nullable Future<OptimizationResult> poll(long timeout, TimeUnit unit)
                        throws InterruptedException {
                    return queuedFutures.isEmpty() ? poll() : super.poll(timeout, unit);
                }
            };
        }
    }

    /** Arbiter's own conditions never end an exhausted grid, and stop counting when candidates fail. */
    private record WhenDone(OrderedGenerator generator) implements TerminationCondition {
        @Override
        public void initialize(IOptimizationRunner runner) {
            // nothing to prepare
        }

        @Override
        public boolean terminate(IOptimizationRunner runner) {
            return generator.isDone();
        }
    }

    /** Makes the tasks that Arbiter's threads run; they never throw. */
    private record Tasks(SweepPlan plan, TrialExecutor executor, SweepRecord record, OrderedGenerator generator)
            implements TaskCreator {
        @Override
        @SuppressWarnings("rawtypes") // Arbiter's signature
        public Callable<OptimizationResult> create(
                Candidate candidate,
                DataProvider data,
                ScoreFunction score,
                List<StatusListener> listeners,
                IOptimizationRunner runner) {
            TrialSpec spec = spec(candidate.getIndex(), (ParameterValues) candidate.getValue());
            return () -> Outcomes.of(candidate, run(spec));
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
            throw new UnsupportedOperationException("trials bring their own data");
        }

        private TrialSpec spec(int index, ParameterValues parameters) {
            List<TrialResult> known =
                    plan.pruning() instanceof Pruning.None ? List.of() : record.before(index - plan.parallel() + 1);
            return new TrialSpec(
                    index,
                    parameters,
                    plan.seed(),
                    plan.threads(),
                    plan.limit(),
                    plan.retries(),
                    plan.pruning(),
                    known);
        }

        private TrialResult run(TrialSpec spec) {
            TrialResult result;
            try {
                record.started(spec);
                result = executor.execute(spec, report -> record.reported(spec, report));
                record.ended(result);
            } catch (RuntimeException e) { // the journal or a listener; trials' own failures are results
                generator.fail(e);
                result = TrialResult.notRun(spec.index(), spec.parameters(), String.valueOf(e.getMessage()));
            }
            generator.ended(result);
            return result;
        }
    }
}
