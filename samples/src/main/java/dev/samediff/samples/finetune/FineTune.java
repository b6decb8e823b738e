package dev.samediff.samples.finetune;

import dev.samediff.adapters.backend.DeviceMemory;
import dev.samediff.adapters.backend.StepMemory;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.EncodedExamples;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.model.Isolation;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import dev.samediff.samples.task.EvaluationSet;
import dev.samediff.samples.task.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Measures a candidate, trains it, and measures it again. */
public final class FineTune {
    /** The task's name on the command line. */
    private static final String TASK = "lm";

    private LanguageModel model;
    private final Task task;
    private FineTuneSettings settings;
    private final Progress.Factory progress;
    private final Consumer<String> notes;
    private @Nullable AveragedTraining averaged;
    private StopSignal stop = new StopSignal();

    /**
     * Prepares a job.
     *
     * @param model the model
     * @param task what it should learn
     * @param settings how
     * @param progress shows how far it is
     * @param notes takes remarks for the person who waits
     */
    public FineTune(
            LanguageModel model,
            Task task,
            FineTuneSettings settings,
            Progress.Factory progress,
            Consumer<String> notes) {
        this.model = model;
        this.task = task;
        this.settings = settings;
        this.progress = progress;
        this.notes = notes;
    }

    /** Trains on Spark instead of here; returns this. */
    public FineTune on(AveragedTraining spark) {
        averaged = spark;
        return this;
    }

    /** Lets a signal end the training; returns this. */
    public FineTune stoppedBy(StopSignal signal) {
        stop = signal;
        return this;
    }

    /** Returns the settings; after the job, of the steps that it made. */
    public FineTuneSettings settings() {
        return settings;
    }

    /**
     * Does the job; the candidate's graph is trained in place.
     *
     * @param candidate adapters on, or variables of, this job's model
     * @param known measurements of the model before training, if they were made already; with virtual tokens it is another, and measured anew
     * @param listeners are told how the training goes
     * @throws StopSignal.Stopped if it was asked to end early
     */
    public FineTuneResult run(Candidate candidate, Optional<List<Measurement>> known, TrainingListener... listeners) {
        int virtual = candidate.virtualTokens();
        model = model.withFraming(model.framing().behind(virtual));
        CausalLmIterator batches = trainingBatches();
        settings = settings.forBatches(batches.batchesPerEpoch());
        List<Measurement> before = evaluating(candidate, evaluator -> {
            DeviceMemory.free().ifPresent(free -> requireFits(candidate, evaluator, free));
            return virtual > 0 ? measure(evaluator) : known.orElseGet(() -> measure(evaluator));
        });
        TrainingRun run = new TrainingRun(settings, stop);
        TrainingResult training = train(candidate, batches, run, listeners);
        run.execution()
                .filter(ExecutionReport::isNotable)
                .ifPresent(report -> notes.accept("engine: " + report.sentence()));
        List<Measurement> after = evaluating(candidate, this::measure);
        task.train()
                .change()
                .ifPresent(what -> notes.accept(
                        what + " while it was trained on; learned is what it held when the training began"));
        return new FineTuneResult(
                TASK,
                settings.metric(),
                candidate,
                withMetrics(before, training.evaluations().stream().findFirst()),
                withMetrics(after, training.finalEvaluation()),
                run.steps(),
                training,
                Memory.peak());
    }

    /** Has an evaluator for one piece of work. It is not kept: its engine has copies of weights, and training makes its own. */
    private <T> T evaluating(Candidate candidate, Function<Evaluator, T> work) {
        try (Engine engine = Engines.open(
                candidate.graph(),
                candidate.loss().loss(),
                List.of(),
                settings.plan().engine())) {
            return work.apply(new Evaluator(model, engine, settings.plan().engine(), candidate.loss()));
        }
    }

    private TrainingResult train(
            Candidate candidate, CausalLmIterator batches, TrainingRun run, TrainingListener... listeners) {
        Binding binding = Binding.of(candidate.loss(), model.inputs().placeholders());
        CausalLmIterator target = new TaskBatches(model).evaluation(task.target());
        try (Progress bar = progress.start(candidate.method(), settings.plan().steps())) {
            return averaged == null
                    ? run.fit(candidate, binding, metrics(settings.metric()), batches, target, bar, listeners)
                    : averaged.train(candidate, settings.plan(), binding, target, bar, listeners);
        }
    }

    /**
     * Returns the metrics of a language model; the scores of all tokens are looked at only if a metric of them decides.
     *
     * @throws dev.samediff.adapters.InvalidInputException if there is no metric of this name
     */
    private List<Metric> metrics(Optional<String> decisive) {
        List<Metric> all =
                List.of(Metrics.perplexity(), Metrics.accuracy(model.logits()), Metrics.exactMatch(model.logits()));
        TrainingRun.requireMetric(decisive, all);
        return all.stream()
                .filter(metric -> metric.outputs().isEmpty()
                        || decisive.filter(metric.name()::equals).isPresent())
                .toList();
    }

    /** The metrics are of the set that the training aims at, which comes first. */
    private static List<Measurement> withMetrics(List<Measurement> sets, Optional<Evaluation> evaluation) {
        List<Measurement> all = new ArrayList<>(sets);
        evaluation.ifPresent(found -> all.set(0, all.get(0).with(found)));
        return all;
    }

    /** Refuses a batch that the device has no memory for, before anything is measured. */
    void requireFits(Candidate candidate, Evaluator evaluator, long freeBytes) {
        TaskBatches batches = new TaskBatches(model);
        TokenSequence longest = batches.encode(task.train()).sequences().stream()
                .max(Comparator.comparingInt(TokenSequence::length))
                .orElseThrow();
        StepMemory.measure(
                        candidate.graph(),
                        candidate.loss().loss(),
                        candidate.trainables(),
                        evaluator.placeholders(batches.plain(List.of(longest)).next()),
                        evaluator.placeholders(
                                batches.plain(List.of(longest, longest)).next()),
                        settings.plan().engine().precision())
                .requireFits(settings.batch(), freeBytes);
    }

    private List<Measurement> measure(Evaluator evaluator) {
        List<Measurement> measurements = new ArrayList<>();
        for (EvaluationSet set : task.evaluations()) {
            measurements.add(evaluator.measure(set, settings.prompts(), progress));
        }
        return measurements;
    }

    private CausalLmIterator trainingBatches() {
        TaskBatches batches = new TaskBatches(model);
        Isolation.requireFor(settings.packing(), model);
        EncodedExamples encoded = batches.encode(task.train());
        notes.accept("training data: " + encoded.report().summary() + "; "
                + model.framing().sentence());
        return batches.training(encoded, settings.packing(), settings.batch(), settings.seed());
    }
}
