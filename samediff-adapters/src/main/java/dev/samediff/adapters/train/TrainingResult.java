package dev.samediff.adapters.train;

import java.util.List;
import java.util.Optional;

/**
 * What training gave.
 *
 * @param steps updates made in all, those before a resume included
 * @param losses task loss of every update
 * @param evaluations all evaluations in order
 * @param reason why it ended
 * @param seconds duration of this run
 */
public record TrainingResult(
        int steps, List<Double> losses, List<Evaluation> evaluations, Reason reason, double seconds) {
    /** Why training ended. */
    public enum Reason {
        /** All planned updates were made. */
        COMPLETED,
        /** The evaluation loss stopped falling. */
        STOPPED_EARLY,
        /** Another thread asked for the end, see {@link AdapterTrainer#stop}. */
        INTERRUPTED
    }

    public TrainingResult {
        losses = List.copyOf(losses);
        evaluations = List.copyOf(evaluations);
    }

    /** Returns the task loss of the last update. */
    public double finalLoss() {
        return losses.isEmpty() ? Double.NaN : losses.get(losses.size() - 1);
    }

    /** Returns the last evaluation, if there was evaluation data. */
    public Optional<Evaluation> finalEvaluation() {
        return evaluations.isEmpty() ? Optional.empty() : Optional.of(evaluations.get(evaluations.size() - 1));
    }

    /** Returns the best evaluation, if there was evaluation data. */
    public Optional<Evaluation> bestEvaluation() {
        return evaluations.stream().min((a, b) -> Double.compare(a.loss(), b.loss()));
    }
}
