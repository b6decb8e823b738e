package dev.samediff.tuning.arbiter.page;

import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.arbiter.LowerIsBetter;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.ParameterValues;
import java.util.Map;
import org.deeplearning4j.arbiter.optimize.config.OptimizationConfiguration;
import org.deeplearning4j.arbiter.ui.data.GlobalConfigPersistable;

/** How the sweep stands. Arbiter keeps its configuration as JSON, which has no conditions; this one keeps it as it is. */
final class SweepStatus extends GlobalConfigPersistable {
    private static final long serialVersionUID = 1L;

    private final transient SweepPlan plan;
    private final transient OptimizationConfiguration configuration;

    private SweepStatus(
            String session, SweepPlan plan, OptimizationConfiguration configuration, int ran, int done, int failed) {
        super(builder(session)
                .candidateCounts(ran, done, failed, ran + done + failed)
                .optimizationRunner(plan.search().key() + ", " + plan.parallel() + " at a time, pruning "
                        + plan.pruning() + ", seed " + plan.seed()));
        this.plan = plan;
        this.configuration = configuration;
    }

    private static GlobalConfigPersistable.Builder builder(String session) {
        GlobalConfigPersistable.Builder builder = new GlobalConfigPersistable.Builder();
        builder.timestamp(System.currentTimeMillis());
        builder.sessionId(session);
        return builder;
    }

    /** Returns the status before the first trial; the page looks up trials' parameters in the map, which grows. */
    static SweepStatus of(String session, SweepPlan plan, AdapterSpace space, Map<Integer, ParameterValues> trials) {
        OptimizationConfiguration configuration = new OptimizationConfiguration.Builder()
                .candidateGenerator(new PageGenerator(new PageSpace(space, trials)))
                .scoreFunction(LowerIsBetter.INSTANCE)
                .dataProvider(new PageNotes.Data())
                .modelSaver(new PageNotes.Saver())
                .terminationConditions(new PageNotes.Trials(plan.trials()))
                .build();
        configuration.setExecutionStartTime(System.currentTimeMillis());
        return new SweepStatus(session, plan, configuration, 0, 0, 0);
    }

    SweepStatus started() {
        return new SweepStatus(
                getSessionID(),
                plan,
                configuration,
                getCandidatesQueued() + 1,
                getCandidatesCompleted(),
                getCandidatesFailed());
    }

    SweepStatus ended(boolean wasRunning, boolean failed) {
        return new SweepStatus(
                getSessionID(),
                plan,
                configuration,
                getCandidatesQueued() - (wasRunning ? 1 : 0),
                getCandidatesCompleted() + (failed ? 0 : 1),
                getCandidatesFailed() + (failed ? 1 : 0));
    }

    @Override
    public OptimizationConfiguration getOptimizationConfiguration() {
        return configuration;
    }
}
