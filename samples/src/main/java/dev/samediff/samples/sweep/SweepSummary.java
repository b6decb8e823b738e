package dev.samediff.samples.sweep;

import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The figures of a sweep, for {@code summary.json} and {@code --json}.
 *
 * @param trials trials in all
 * @param complete that ran to their end
 * @param pruned that were given up
 * @param failed that failed
 * @param bestTrial index of the best one; null if none is complete
 * @param bestScore its score
 * @param bestParameters what it tried
 * @param seconds duration of this run
 * @param trialSeconds sum of the durations of all trials
 * @param steps training steps of all trials up to their last report
 * @param finetune the command that trains the best configuration
 * @param folder where everything is
 */
public record SweepSummary(
        int trials,
        long complete,
        long pruned,
        long failed,
        @Nullable Integer bestTrial,
        double bestScore,
        Map<String, Object> bestParameters,
        double seconds,
        double trialSeconds,
        long steps,
        String finetune,
        String folder) {
    /** Returns the figures of a result. */
    public static SweepSummary of(SweepResult result, Map<String, String> common, String folder) {
        TrialResult best = result.best().orElse(null);
        return new SweepSummary(
                result.trials().size(),
                result.count(TrialState.COMPLETE),
                result.count(TrialState.PRUNED),
                result.count(TrialState.FAILED),
                best == null ? null : best.index(),
                best == null ? Double.NaN : best.score(),
                best == null ? Map.of() : best.parameters().values(),
                result.seconds(),
                result.trials().stream().mapToDouble(TrialResult::seconds).sum(),
                result.trials().stream()
                        .flatMap(trial -> trial.curve().last().stream())
                        .mapToLong(point -> point.step())
                        .sum(),
                best == null ? "" : FineTuneLine.of(best.parameters(), common),
                folder);
    }
}
