package dev.samediff.samples.sweep;

import dev.samediff.adapters.text.batch.EncodedExamples;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.samples.finetune.TaskBatches;
import dev.samediff.samples.task.Task;
import dev.samediff.tuning.training.TrialData;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** A task's texts for trials: encoded once for each batch size, as {@code finetune} would. */
final class TaskData implements TrialData {
    private final TaskBatches batches;
    private final IntFunction<Task> tasks;
    private final ConcurrentHashMap<Integer, EncodedExamples> training = new ConcurrentHashMap<>();
    private final Packing packing;
    private final EncodedExamples evaluation;

    /**
     * @param batches makes batches
     * @param tasks the task by examples per batch: bundled stories are as many as the training sees
     * @param packing whether several texts share a row
     * @param batch any batch size, for the evaluation
     */
    TaskData(TaskBatches batches, IntFunction<Task> tasks, Packing packing, int batch) {
        this.batches = batches;
        this.tasks = tasks;
        this.packing = packing;
        this.evaluation = batches.encode(tasks.apply(batch).target().examples());
    }

    @Override
    public MultiDataSetIterator train(int batch, long seed) {
        EncodedExamples encoded = training.computeIfAbsent(
                batch, size -> batches.encode(tasks.apply(size).train()));
        return batches.training(encoded, packing, batch, seed);
    }

    @Override
    public MultiDataSetIterator evaluation() {
        return batches.evaluation(evaluation);
    }
}
