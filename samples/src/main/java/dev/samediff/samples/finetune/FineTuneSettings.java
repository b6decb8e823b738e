package dev.samediff.samples.finetune;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.TrainingPlan;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a model is trained and measured.
 *
 * @param plan steps, learning rate, schedule, checkpoints
 * @param batch examples per batch
 * @param seed seed of the order of the examples
 * @param prompts most prompts answered per evaluation set, before and after
 * @param resume folder of checkpoints to go on from
 * @param metric the metric that says what is best; the loss if absent
 */
public record FineTuneSettings(
        TrainingPlan plan, int batch, long seed, int prompts, Optional<Path> resume, Optional<String> metric) {
    public FineTuneSettings {
        if (batch < 1) {
            throw new InvalidInputException("--batch " + batch + " is not possible; give 1 or more examples per batch");
        }
        if (prompts < 0) {
            throw new InvalidInputException("--eval-count " + prompts + " is not possible; give 0 or more prompts");
        }
    }

    /** Settings of a training that is judged by its loss. */
    public FineTuneSettings(TrainingPlan plan, int batch, long seed, int prompts, Optional<Path> resume) {
        this(plan, batch, seed, prompts, resume, Optional.empty());
    }
}
