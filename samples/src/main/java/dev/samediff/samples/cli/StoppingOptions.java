package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.TrainingPlan;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** When a training ends early, and which parameters it leaves. */
final class StoppingOptions {
    private static final String LOSS = "loss";

    @Option(
            names = "--patience",
            paramLabel = "N",
            defaultValue = "0",
            description = "Stop after N evaluations without a smaller loss, or a better --metric, and keep the best; 0:"
                    + " never. Default: ${DEFAULT-VALUE}.")
    int patience;

    @Option(
            names = "--min-delta",
            paramLabel = "D",
            description = "By how much an evaluation must be better to count for --patience. Default: 0.")
    @Nullable
    Double minDelta;

    @Option(
            names = "--metric",
            paramLabel = "NAME",
            description = "Keep the parameters that are the best by this: loss, or a metric of the task, such as"
                    + " accuracy, entity_f1, spearman. Default: the last ones are kept.")
    @Nullable
    String metric;

    /** Returns the metric that says what is best, if one was named. */
    Optional<String> metric() {
        return Optional.ofNullable(metric);
    }

    /** Refuses every metric but the loss. */
    void requireLoss(String why) {
        if (metric != null && !metric.equals(LOSS)) {
            throw new InvalidInputException("--metric " + metric + " is not possible " + why + "; give " + LOSS
                    + ", which keeps the parameters of the smallest evaluation loss, or leave it out");
        }
    }

    /**
     * Adds early stopping to a plan.
     *
     * @throws InvalidInputException if the options cannot be
     */
    TrainingPlan.Builder addTo(TrainingPlan.Builder plan) {
        if (patience < 0) {
            throw new InvalidInputException(
                    "--patience " + patience + " is not possible; give 0 for never, or a number of evaluations");
        }
        if (patience > 0) {
            plan.earlyStopping(patience, minDelta == null ? 0 : minDelta);
        } else if (minDelta != null) {
            throw new InvalidInputException("--min-delta " + minDelta + " belongs to --patience, which is not given");
        }
        return patience > 0 || metric != null ? plan.restoreBest(true) : plan;
    }
}
