package dev.samediff.samples.finetune;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.samples.output.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** One training of a candidate: shown, stopped by a signal, resumed, judged by a metric. */
public final class TrainingRun {
    /** What stands for the loss where a metric is asked for. */
    public static final String LOSS = "loss";

    private final FineTuneSettings settings;
    private final StopSignal stop;
    private final List<StepReport> steps = new ArrayList<>();
    private Optional<ExecutionReport> execution = Optional.empty();

    /** Prepares a training. */
    public TrainingRun(FineTuneSettings settings, StopSignal stop) {
        this.settings = settings;
        this.stop = stop;
    }

    /**
     * Checks that a metric is one of those that there are.
     *
     * @param wanted its name, or {@code loss}
     * @throws InvalidInputException if it is none of them
     */
    public static void requireMetric(Optional<String> wanted, List<Metric> metrics) {
        List<String> names = Stream.concat(Stream.of(LOSS), metrics.stream().map(Metric::name))
                .toList();
        if (wanted.isPresent() && !names.contains(wanted.get())) {
            throw new InvalidInputException(
                    "--metric " + wanted.get() + " is none of this task's; there are " + String.join(", ", names));
        }
    }

    /**
     * Trains.
     *
     * @throws StopSignal.Stopped if it was asked to end early
     */
    public TrainingResult fit(
            Candidate candidate,
            Binding binding,
            List<Metric> metrics,
            MultiDataSetIterator train,
            MultiDataSetIterator evaluation,
            Progress bar,
            TrainingListener... listeners) {
        requireMetric(settings.metric(), metrics);
        try (AdapterTrainer trainer = candidate.trainer(settings.plan(), binding);
                StopSignal.Watch watch = stop.watch(trainer)) {
            trainer.reporting(
                    metrics.stream().filter(metric -> !isDecisive(metric)).toArray(Metric[]::new));
            metrics.stream().filter(this::isDecisive).forEach(trainer::judgedBy);
            settings.resume().ifPresent(trainer::resume);
            TrainingListener[] all = Stream.concat(Stream.of(new Recorder(bar), stop), Arrays.stream(listeners))
                    .toArray(TrainingListener[]::new);
            TrainingResult result = trainer.fit(train, evaluation, all);
            if (result.reason() == TrainingResult.Reason.INTERRUPTED) {
                throw new StopSignal.Stopped(result.steps());
            }
            return result;
        }
    }

    private boolean isDecisive(Metric metric) {
        return settings.metric().filter(metric.name()::equals).isPresent();
    }

    /** Returns every update of this run. */
    public List<StepReport> steps() {
        return List.copyOf(steps);
    }

    /** Returns how the steps were executed, if the engine said. */
    public Optional<ExecutionReport> execution() {
        return execution;
    }

    private final class Recorder implements TrainingListener {
        private final Progress bar;

        Recorder(Progress bar) {
            this.bar = bar;
        }

        @Override
        public void onExecution(ExecutionReport report) {
            execution = Optional.of(report);
        }

        @Override
        public void onStep(StepReport report) {
            steps.add(report);
            bar.at(report.step(), String.format(Locale.ROOT, "loss %.4f", report.loss()));
        }
    }
}
