package dev.samediff.tuning;

import dev.samediff.tuning.space.ParameterValues;
import java.io.Serializable;

/**
 * One ended trial.
 *
 * @param index its number, from 0
 * @param parameters what was tried
 * @param state how it ended
 * @param score what is minimised; the last report of a pruned trial; NaN if failed
 * @param seconds duration, all attempts together
 * @param attempts how often it was tried
 * @param curve what it reported
 * @param error why it failed; empty if it did not
 */
public record TrialResult(
        int index,
        ParameterValues parameters,
        TrialState state,
        double score,
        double seconds,
        int attempts,
        LearningCurve curve,
        String error)
        implements Serializable {
    /** Returns a trial that never ran. */
    public static TrialResult notRun(int index, ParameterValues parameters, String error) {
        return new TrialResult(index, parameters, TrialState.FAILED, Double.NaN, 0, 0, LearningCurve.EMPTY, error);
    }

    /** Returns whether it ran to its end. */
    public boolean isComplete() {
        return state == TrialState.COMPLETE;
    }

    /** Returns whether both are the same but for the time they took. */
    public boolean sameAs(TrialResult other) {
        return index == other.index
                && parameters.equals(other.parameters)
                && state == other.state
                && Double.compare(score, other.score) == 0
                && curve.equals(other.curve);
    }
}
