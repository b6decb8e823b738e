package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.EpochIterator;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.Measurement;
import dev.samediff.samples.finetune.StopSignal;
import dev.samediff.samples.finetune.TrainingRun;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.output.Progress;
import java.util.List;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Trains a model of texts for a task; what it measures before and after are the trainer's evaluations.
 *
 * @param task the task
 * @param prepared the model and what of it is learned
 * @param data what it should learn
 * @param evaluated a word or two for the data that it is measured by
 */
public record TextTraining<E>(TextTask<E> task, Prepared prepared, Examples.Split<E> data, String evaluated) {
    private static final int WIDTH_STEP = 8;
    private static final int BUCKETS = 20;
    private static final int EVALUATION_BATCH = 32;

    /**
     * A model with all that its task needs.
     *
     * @param model the model
     * @param settings what makes the task this one
     * @param output the variable that is learned
     */
    public record Prepared(TextModel model, TaskSettings settings, String output) {
        /** Puts on a model what its task needs. */
        public static Prepared of(TextTask<?> task, TextModel model, TaskSettings settings) {
            TaskSettings settled = task.settled(model, settings);
            return new Prepared(model, settled, task.attach(model, settled));
        }
    }

    /**
     * Returns the settings of a number of steps, where they say how often to pass over the data.
     *
     * @param settings with batches of this size
     */
    public FineTuneSettings settled(FineTuneSettings settings) {
        List<E> examples = data.train().list();
        MultiDataSetIterator batches = batches(task, prepared, examples, trainingPlan(settings));
        if (settings.epochs().isPresent() && !(batches instanceof EpochIterator)) {
            throw new InvalidInputException("--epochs is not possible with --task " + task.name() + "; give --steps");
        }
        return batches instanceof EpochIterator epochs ? settings.forBatches(epochs.batchesPerEpoch()) : settings;
    }

    private BatchPlan trainingPlan(FineTuneSettings settings) {
        BatchPlan plan = plan(settings.batch()).shuffled(settings.seed()).bucketed(BUCKETS);
        return data.train().list().size() >= settings.batch() ? plan.droppingLast() : plan;
    }

    /**
     * Does it; the candidate's graph is trained in place.
     *
     * @throws StopSignal.Stopped if it was asked to end early
     */
    public FineTuneResult run(
            Candidate candidate,
            FineTuneSettings settings,
            Progress.Factory progress,
            StopSignal stop,
            TrainingListener... listeners) {
        TextModel model = prepared.model();
        MultiDataSetIterator train = training(candidate, settings);
        MultiDataSetIterator evaluation = evaluation(
                task, prepared, data.evaluation(), candidate, settings.plan().engine());
        TrainingRun run = new TrainingRun(settings, stop);
        try (Progress bar = progress.start(candidate.method(), settings.plan().steps())) {
            TrainingResult result = run.fit(
                    candidate,
                    binding(task, model, candidate),
                    metrics(task, prepared, candidate),
                    train,
                    evaluation,
                    bar,
                    listeners);
            return new FineTuneResult(
                    task.name(),
                    settings.metric(),
                    candidate,
                    List.of(Measurement.of(evaluated, result.evaluations().get(0))),
                    List.of(Measurement.of(evaluated, result.finalEvaluation().orElseThrow())),
                    run.steps(),
                    result,
                    Memory.peak());
        }
    }

    static Binding binding(TextTask<?> task, TextModel model, Candidate candidate) {
        return Binding.of(candidate.loss(), task.placeholders(model).toArray(String[]::new));
    }

    static List<Metric> metrics(TextTask<?> task, Prepared prepared, Candidate candidate) {
        return task.metrics(task.measured(candidate.graph(), prepared.output(), candidate.loss()), prepared.settings());
    }

    private MultiDataSetIterator training(Candidate candidate, FineTuneSettings settings) {
        List<E> examples = data.train().list();
        MultiDataSetIterator batches = batches(task, prepared, examples, trainingPlan(settings));
        return task.prepared(
                batches, candidate, prepared.model(), settings.plan().engine());
    }

    /** Returns the batches to measure by. */
    static <E> MultiDataSetIterator evaluation(
            TextTask<E> task, Prepared prepared, List<E> examples, Candidate candidate, EngineOptions options) {
        return task.prepared(
                batches(task, prepared, examples, plan(prepared, EVALUATION_BATCH)),
                candidate,
                prepared.model(),
                options);
    }

    private BatchPlan plan(int batch) {
        return plan(prepared, batch);
    }

    private static BatchPlan plan(Prepared prepared, int batch) {
        return BatchPlan.of(batch, prepared.model().maxLength()).paddedToMultipleOf(WIDTH_STEP);
    }

    private static <E> MultiDataSetIterator batches(
            TextTask<E> task, Prepared prepared, List<E> examples, BatchPlan plan) {
        TextModel model = prepared.model();
        return task.batches(examples, model, model.inputs().fill(plan), prepared.settings());
    }
}
