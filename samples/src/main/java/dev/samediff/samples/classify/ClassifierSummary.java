package dev.samediff.samples.classify;

import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.time.Duration;
import java.util.Locale;

/**
 * The figures of the training of a classifier, for {@code summary.json} and {@code --json}.
 *
 * @param task {@code classify}
 * @param method adapter method, {@code full} or {@code head}
 * @param rank rank; 0 without an adapter
 * @param trainableParameters numbers that were trained
 * @param steps updates made
 * @param reason {@code completed} or {@code stopped_early}
 * @param learningRate peak learning rate
 * @param classes number of classes
 * @param trainTexts texts to learn from
 * @param evalTexts texts to measure by
 * @param evalLossBefore loss before, nats per text
 * @param evalLossAfter loss after
 * @param accuracyBefore share of right answers before
 * @param accuracyAfter the same after
 * @param macroF1Before mean F1 of the classes before
 * @param macroF1After the same after
 * @param secondsPerStep median duration of an update
 * @param trainingSeconds duration of the training with its evaluations
 * @param peakMemoryMb most memory the process had resident, in 10^6 bytes
 * @param folder where everything is
 */
public record ClassifierSummary(
        String task,
        String method,
        int rank,
        long trainableParameters,
        int steps,
        String reason,
        double learningRate,
        int classes,
        int trainTexts,
        int evalTexts,
        double evalLossBefore,
        double evalLossAfter,
        double accuracyBefore,
        double accuracyAfter,
        double macroF1Before,
        double macroF1After,
        double secondsPerStep,
        double trainingSeconds,
        long peakMemoryMb,
        String folder) {
    /** Returns the figures of a training. */
    public static ClassifierSummary of(
            Candidate candidate,
            ClassifierData data,
            ClassifierTraining.Outcome outcome,
            TrainingPlan plan,
            String folder) {
        double[] seconds = outcome.steps().stream()
                .mapToDouble(StepReport::seconds)
                .sorted()
                .toArray();
        return new ClassifierSummary(
                ClassifierFile.CLASSIFY,
                candidate.method(),
                candidate.rank(),
                candidate.trainableParameters(),
                outcome.training().steps(),
                outcome.training().reason().name().toLowerCase(Locale.ROOT),
                plan.learningRate(),
                data.labels().size(),
                data.train().size(),
                data.evaluation().size(),
                outcome.lossBefore(),
                outcome.lossAfter(),
                outcome.before().accuracy(),
                outcome.after().accuracy(),
                outcome.before().macroF1(),
                outcome.after().macroF1(),
                seconds.length == 0 ? Double.NaN : seconds[seconds.length / 2],
                outcome.training().seconds(),
                outcome.peakMemory() / 1_000_000,
                folder);
    }

    /** Returns them as tables for people. */
    public String text() {
        return new TextTable("", "before", "after")
                        .row("accuracy", Numbers.percent(accuracyBefore), Numbers.percent(accuracyAfter))
                        .row("macro F1", Numbers.percent(macroF1Before), Numbers.percent(macroF1After))
                        .row("loss", Numbers.decimal(evalLossBefore), Numbers.decimal(evalLossAfter))
                        .render()
                + "\n\n"
                + new TextTable("", "")
                        .row("trained parameters", Numbers.count(trainableParameters))
                        .row("steps", Numbers.count(steps))
                        .row("seconds per step", Numbers.decimal(secondsPerStep, 3))
                        .row("training", Numbers.duration(Duration.ofMillis((long) (1000 * trainingSeconds))))
                        .row("peak memory", Numbers.bytes(peakMemoryMb * 1_000_000))
                        .render();
    }
}
