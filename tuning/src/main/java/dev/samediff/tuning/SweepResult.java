package dev.samediff.tuning;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What a sweep came to.
 *
 * @param trials all trials by index
 * @param seconds duration of this run
 */
public record SweepResult(List<TrialResult> trials, double seconds) {
    public SweepResult {
        trials = trials.stream()
                .sorted(Comparator.comparingInt(TrialResult::index))
                .toList();
    }

    /** Returns the complete trial with the lowest score, the first of equal ones. */
    public Optional<TrialResult> best() {
        return trials.stream().filter(TrialResult::isComplete).min(Comparator.comparingDouble(TrialResult::score));
    }

    /** Returns how many trials ended so. */
    public long count(TrialState state) {
        return trials.stream().filter(trial -> trial.state() == state).count();
    }
}
