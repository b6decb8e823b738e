package dev.samediff.tuning;

import java.util.function.Consumer;

/** Where trials run: in this process, or elsewhere. Called by several threads at the same time. */
@FunctionalInterface
public interface TrialExecutor {
    /**
     * Runs a trial to its end; never throws because the trial does.
     *
     * @param spec the trial
     * @param reports is told the trial's reports while it runs, where that is possible
     */
    TrialResult execute(TrialSpec spec, Consumer<LearningCurve.Point> reports);
}
