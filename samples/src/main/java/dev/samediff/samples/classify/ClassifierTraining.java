package dev.samediff.samples.classify;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.ClassificationIterator;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.StopSignal;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.output.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Measures a classifier, trains it, and measures it again. */
public final class ClassifierTraining {
    private static final int WIDTH_STEP = 8;
    private static final int BUCKETS = 20;
    private static final int EVALUATION_BATCH = 32;

    private final TextModel model;
    private final ClassifierData data;
    private final String scores;
    private final FineTuneSettings settings;
    private final Progress.Factory progress;
    private final StopSignal stop;

    /**
     * Prepares a training.
     *
     * @param model the model
     * @param data what it should learn
     * @param scores name of the scores [texts, classes] in its graph
     * @param settings how
     * @param progress shows how far it is
     * @param stop ends it early
     */
    public ClassifierTraining(
            TextModel model,
            ClassifierData data,
            String scores,
            FineTuneSettings settings,
            Progress.Factory progress,
            StopSignal stop) {
        this.model = model;
        this.data = data;
        this.scores = scores;
        this.settings = settings;
        this.progress = progress;
        this.stop = stop;
    }

    /**
     * What a training came to.
     *
     * @param before how right the classifier was
     * @param after how right it is
     * @param lossBefore its loss, in nats per text
     * @param lossAfter the same afterwards
     * @param steps every update of this run
     * @param training what the trainer reports
     * @param peakMemory most memory the process had resident so far, in bytes
     */
    public record Outcome(
            ClassifierMeasure before,
            ClassifierMeasure after,
            double lossBefore,
            double lossAfter,
            List<StepReport> steps,
            TrainingResult training,
            long peakMemory) {}

    /**
     * Does it; the candidate's graph is trained in place.
     *
     * @throws StopSignal.Stopped if it was asked to end early
     */
    public Outcome run(Candidate candidate, TrainingListener... listeners) {
        Binding binding = Binding.of(candidate.loss(), model.inputs().placeholders());
        ClassificationIterator evaluation = evaluation();
        ClassifierMeasure before = measure(candidate, evaluation);
        List<StepReport> steps = new ArrayList<>();
        try (Progress bar = progress.start(candidate.method(), settings.plan().steps());
                AdapterTrainer trainer = trainer(candidate, binding);
                StopSignal.Watch watch = stop.watch(trainer)) {
            settings.resume().ifPresent(trainer::resume);
            TrainingListener shown = new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    steps.add(report);
                    bar.at(report.step(), String.format(Locale.ROOT, "loss %.4f", report.loss()));
                }
            };
            TrainingListener[] all = Stream.concat(Stream.of(shown, stop), Arrays.stream(listeners))
                    .toArray(TrainingListener[]::new);
            TrainingResult training = trainer.fit(training(), evaluation, all);
            if (training.reason() == TrainingResult.Reason.INTERRUPTED) {
                throw new StopSignal.Stopped(training.steps());
            }
            List<Evaluation> evaluations = training.evaluations();
            return new Outcome(
                    before,
                    measure(candidate, evaluation()),
                    evaluations.isEmpty() ? Double.NaN : evaluations.get(0).loss(),
                    training.finalEvaluation().map(Evaluation::loss).orElse(Double.NaN),
                    List.copyOf(steps),
                    training,
                    Memory.peak());
        }
    }

    private AdapterTrainer trainer(Candidate candidate, Binding binding) {
        return candidate
                .adapted()
                .map(adapted -> new AdapterTrainer(adapted, candidate.loss(), settings.plan(), binding))
                .orElseGet(() -> new AdapterTrainer(
                        ClassifierCandidate.trainable(candidate), candidate.loss(), settings.plan(), binding));
    }

    private ClassificationIterator training() {
        BatchPlan plan = plan(settings.batch()).shuffled(settings.seed()).bucketed(BUCKETS);
        return batches(data.train(), data.train().size() >= settings.batch() ? plan.droppingLast() : plan);
    }

    private ClassificationIterator evaluation() {
        return batches(data.evaluation(), plan(EVALUATION_BATCH));
    }

    private BatchPlan plan(int batch) {
        return BatchPlan.of(batch, model.maxLength()).paddedToMultipleOf(WIDTH_STEP);
    }

    private ClassificationIterator batches(List<LabelledText> texts, BatchPlan plan) {
        return new ClassificationIterator(
                texts, model.tokenizer(), model.inputs().fill(plan));
    }

    /** Asks for the scores by an engine that differentiates nothing. */
    private ClassifierMeasure measure(Candidate candidate, ClassificationIterator batches) {
        List<Integer> right = new ArrayList<>();
        List<Integer> given = new ArrayList<>();
        EngineOptions options = settings.plan().engine();
        String[] placeholders = model.inputs().placeholders();
        try (Engine engine = Engines.forOutputs(candidate.graph(), options)) {
            batches.startEpoch(0);
            while (batches.hasNext()) {
                MultiDataSet batch = batches.next();
                Map<String, INDArray> values = new HashMap<>();
                for (int i = 0; i < placeholders.length; i++) {
                    values.put(placeholders[i], batch.getFeatures(i));
                }
                INDArray rows = Objects.requireNonNull(
                        engine.outputs(values, List.of(scores)).get(scores));
                int[] best = rows.argMax(1).toIntVector();
                int[] labels = batch.getLabels(0).toIntVector();
                for (int row = 0; row < labels.length; row++) {
                    right.add(labels[row]);
                    given.add(best[row]);
                }
            }
        }
        return ClassifierMeasure.of(ints(right), ints(given), data.labels());
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(i -> i).toArray();
    }
}
