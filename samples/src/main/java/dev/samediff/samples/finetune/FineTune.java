package dev.samediff.samples.finetune;

import dev.samediff.adapters.backend.DeviceMemory;
import dev.samediff.adapters.backend.StepMemory;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.EncodedExamples;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import dev.samediff.samples.task.EvaluationSet;
import dev.samediff.samples.task.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Measures a candidate, trains it, and measures it again. */
public final class FineTune {
    private final LanguageModel model;
    private final Task task;
    private final FineTuneSettings settings;
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

    /**
     * Does the job; the candidate's graph is trained in place.
     *
     * @param candidate adapters on, or variables of, this job's model
     * @param known measurements of the model before training, if they were made already
     * @param listeners are told how the training goes
     * @throws StopSignal.Stopped if it was asked to end early
     */
    public FineTuneResult run(Candidate candidate, Optional<List<Measurement>> known, TrainingListener... listeners) {
        CausalLmIterator batches = trainingBatches();
        try (Engine engine = Engines.open(
                candidate.graph(),
                candidate.loss().loss(),
                List.of(),
                settings.plan().engine())) {
            Evaluator evaluator = new Evaluator(model, engine, settings.plan().engine(), candidate.loss());
            DeviceMemory.free().ifPresent(free -> requireFits(candidate, evaluator, free));
            List<Measurement> before = known.orElseGet(() -> measure(evaluator));
            StepRecorder recorder = new StepRecorder();
            TrainingResult training = train(candidate, batches, evaluator, recorder, listeners);
            recorder.execution
                    .filter(ExecutionReport::isNotable)
                    .ifPresent(report -> notes.accept("engine: " + report.sentence()));
            List<Measurement> after = measure(evaluator);
            return new FineTuneResult(candidate, before, after, recorder.steps, training, Memory.peak());
        }
    }

    private TrainingResult train(
            Candidate candidate,
            CausalLmIterator batches,
            Evaluator evaluator,
            StepRecorder recorder,
            TrainingListener... listeners) {
        Binding binding = Binding.of(candidate.loss(), model.inputs().placeholders());
        try (Progress bar = progress.start(candidate.method(), settings.plan().steps())) {
            return averaged == null
                    ? trainHere(candidate, batches, evaluator.batches(task.target()), binding, bar, recorder, listeners)
                    : averaged.train(
                            candidate, settings.plan(), binding, evaluator.batches(task.target()), bar, listeners);
        }
    }

    private TrainingResult trainHere(
            Candidate candidate,
            CausalLmIterator batches,
            CausalLmIterator evaluation,
            Binding binding,
            Progress bar,
            StepRecorder recorder,
            TrainingListener... listeners) {
        try (AdapterTrainer trainer = candidate.trainer(settings.plan(), binding);
                StopSignal.Watch watch = stop.watch(trainer)) {
            settings.resume().ifPresent(trainer::resume);
            TrainingListener shown = new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    bar.at(report.step(), String.format(java.util.Locale.ROOT, "loss %.4f", report.loss()));
                }
            };
            TrainingListener[] all = Stream.concat(Stream.of(recorder, shown, stop), Arrays.stream(listeners))
                    .toArray(TrainingListener[]::new);
            TrainingResult result = trainer.fit(batches, evaluation, all);
            if (result.reason() == TrainingResult.Reason.INTERRUPTED) {
                throw new StopSignal.Stopped(result.steps());
            }
            return result;
        }
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
        EncodedExamples encoded = batches.encode(task.train());
        notes.accept("training data: " + encoded.report().summary() + "; "
                + model.framing().sentence());
        return batches.training(encoded, settings.batch(), settings.seed());
    }

    private static final class StepRecorder implements TrainingListener {
        private final List<StepReport> steps = new ArrayList<>();
        private Optional<ExecutionReport> execution = Optional.empty();

        @Override
        public void onExecution(ExecutionReport report) {
            execution = Optional.of(report);
        }

        @Override
        public void onStep(StepReport report) {
            steps.add(report);
        }
    }
}
