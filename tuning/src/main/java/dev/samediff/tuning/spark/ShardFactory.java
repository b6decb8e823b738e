package dev.samediff.tuning.spark;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.Serializable;
import java.util.function.Supplier;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Makes a shard of the training where it runs: the same model with the same adapters everywhere, and a part of the data.
 * Equal factories make the same shards; each is made once per process.
 */
@FunctionalInterface
public interface ShardFactory extends Serializable {
    /**
     * What one task trains.
     *
     * @param model the model with its adapters
     * @param loss the task loss in its graph
     * @param inputs which arrays of a batch feed which placeholders
     * @param data this shard's training data, from its start at every call: every round resumes a training
     * @param plan the plan; steps and checkpoints are set by the averaging
     */
    record Shard(
            AdaptedModel model,
            TaskLoss loss,
            Binding inputs,
            Supplier<MultiDataSetIterator> data,
            TrainingPlan.Builder plan) {}

    /** Makes a shard, from 0. */
    Shard create(int shard);
}
