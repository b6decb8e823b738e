package dev.samediff.adapters.train;

import java.util.List;
import java.util.Optional;

/**
 * What a run of training gave, which is one call of {@link AdapterTrainer#fit}, or several if it was interrupted and resumed.
 *
 * @param steps updates made in all, those of earlier runs of the trainer included
 * @param losses task loss of every update of the run
 * @param evaluations all evaluations of the run in order
 * @param reason why it ended
 * @param seconds duration since it began or was resumed
 * @param finalEvaluation the evaluation of the parameters that the model has now: of the best ones where the plan restores
 *     them, of the last ones otherwise; empty if there was no evaluation data
 */
public record TrainingResult(
        int steps,
        List<Double> losses,
        List<Evaluation> evaluations,
        Reason reason,
        double seconds,
        Optional<Evaluation> finalEvaluation) {
    /** A result whose last evaluation is that of the parameters that are kept. */
    public TrainingResult(int steps, List<Double> losses, List<Evaluation> evaluations, Reason reason, double seconds) {
        this(
                steps,
                losses,
                evaluations,
                reason,
                seconds,
                evaluations.isEmpty() ? Optional.empty() : Optional.of(evaluations.get(evaluations.size() - 1)));
    }

    /** Why training ended. */
    public enum Reason {
        /** All planned updates were made. */
        COMPLETED,
        /** The evaluation loss, or the metric that decides, stopped getting better. */
        STOPPED_EARLY,
        /** Another thread asked for the end, see {@link AdapterTrainer#stop}. */
        INTERRUPTED
    }

    public TrainingResult {
        losses = List.copyOf(losses);
        evaluations = List.copyOf(evaluations);
    }

    /** Returns the task loss of the last update; NaN if there was none. */
    public double finalLoss() {
        return losses.isEmpty() ? Double.NaN : losses.get(losses.size() - 1);
    }

    /** Returns the best evaluation, by the loss or by the metric that decided, if there was evaluation data. */
    public Optional<Evaluation> bestEvaluation() {
        return evaluations.stream()
                .filter(Evaluation::best)
                .reduce((earlier, later) -> later)
                .or(() -> evaluations.stream().min((a, b) -> Double.compare(a.loss(), b.loss())));
    }
}
