package dev.samediff.samples.finetune;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.train.TrainingPlan;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * How a model is trained and measured.
 *
 * @param plan steps, learning rate, schedule, checkpoints
 * @param batch examples per batch
 * @param seed seed of the order of the examples
 * @param prompts most prompts answered per evaluation set, before and after
 * @param resume folder of checkpoints to go on from
 * @param metric the metric that says what is best; the loss if absent
 * @param epochs passes over the data, if the number of steps depends on it; the plan is then one of a step or so
 * @param packing whether several texts share a row of a training batch
 */
public record FineTuneSettings(
        TrainingPlan plan,
        int batch,
        long seed,
        int prompts,
        Optional<Path> resume,
        Optional<String> metric,
        Optional<Epochs> epochs,
        Packing packing) {
    /**
     * A training whose steps are known when its batches are.
     *
     * @param count passes over the data
     * @param plan returns the plan of so many steps
     */
    public record Epochs(int count, IntFunction<TrainingPlan> plan) {}

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
        this(plan, batch, seed, prompts, resume, Optional.empty(), Optional.empty(), Packing.NONE);
    }

    /** Returns the settings for data of so many batches: those of a number of steps. */
    public FineTuneSettings forBatches(int perEpoch) {
        if (epochs.isEmpty()) {
            return this;
        }
        int updates = (perEpoch + plan.accumulation() - 1) / plan.accumulation();
        TrainingPlan known =
                epochs.get().plan().apply(Math.multiplyExact(epochs.get().count(), updates));
        return new FineTuneSettings(known, batch, seed, prompts, resume, metric, Optional.empty(), packing);
    }
}
