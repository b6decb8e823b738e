package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.runner.CandidateInfo;
import org.deeplearning4j.arbiter.optimize.runner.CandidateStatus;
import org.jspecify.annotations.Nullable;

/** Trials' results in Arbiter's form. */
final class Outcomes {
    private Outcomes() {}

    /** A failed trial has no score: Arbiter would keep a NaN as its best one for ever. */
    static OptimizationResult of(Candidate<?> candidate, TrialResult trial) {
        @Nullable Double score = Double.isFinite(trial.score()) ? Double.valueOf(trial.score()) : null;
        CandidateStatus status = switch (trial.state()) {
            case COMPLETE -> CandidateStatus.Complete;
            case PRUNED -> CandidateStatus.Cancelled;
            case FAILED -> CandidateStatus.Failed;
        };
        long now = System.currentTimeMillis();
        long start = now - (long) (1000 * trial.seconds());
        CandidateInfo info = new CandidateInfo(
                trial.index(), status, score, start, start, now, candidate.getFlatParameters(), trial.error());
        return new OptimizationResult(
                candidate, trial.state() == TrialState.FAILED ? null : score, trial.index(), trial, info, null);
    }
}
