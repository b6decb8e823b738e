package dev.samediff.tuning.spark;

import dev.samediff.tuning.LocalTrials;
import dev.samediff.tuning.TrialFactory;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.api.java.function.Function;

/** Runs a trial in an executor; the trial is made once per process. Never throws because the trial does. */
final class TrialTask implements Function<TrialSpec, TrialResult> {
    private static final long serialVersionUID = 1L;
    private static final ConcurrentHashMap<TrialFactory, LocalTrials> TRIALS = new ConcurrentHashMap<>();

    private final TrialFactory factory;

    TrialTask(TrialFactory factory) {
        this.factory = factory;
    }

    @Override
    public TrialResult call(TrialSpec spec) {
        return TRIALS.computeIfAbsent(factory, made -> new LocalTrials(made.create()))
                .execute(spec, report -> {});
    }
}
