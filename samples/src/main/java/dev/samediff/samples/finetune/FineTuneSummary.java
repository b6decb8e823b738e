package dev.samediff.samples.finetune;

import dev.samediff.adapters.train.TrainingPlan;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The figures of a fine-tuning, for {@code summary.json} and {@code --json}. The evaluation figures without a prefix are
 * those of the set the training aims at.
 *
 * @param task name of the task
 * @param method adapter method, {@code full} or {@code head}
 * @param rank rank; 0 without an adapter
 * @param trainableParameters numbers that were trained
 * @param totalParameters all numbers of the model and the adapter
 * @param steps updates made
 * @param reason {@code completed} or {@code stopped_early}
 * @param learningRate peak learning rate
 * @param schedule its course
 * @param evalLossBefore loss before, of language models nats per labelled token
 * @param evalLossAfter loss after
 * @param exactMatchBefore share of prompts answered right before; null if none was asked
 * @param exactMatchAfter the same after
 * @param judgedBy what said which parameters are the best: {@code loss} or a metric
 * @param metricsBefore the task's metrics before, by name
 * @param metricsAfter the same after
 * @param evaluations all evaluation sets
 * @param trainLossLast task loss of the last update
 * @param secondsPerStep median duration of an update
 * @param trainingSeconds duration of the training with its evaluations
 * @param peakMemoryMb most memory the process had resident, in 10^6 bytes
 * @param folder where everything is
 */
public record FineTuneSummary(
        String task,
        String method,
        int rank,
        long trainableParameters,
        long totalParameters,
        int steps,
        String reason,
        double learningRate,
        String schedule,
        double evalLossBefore,
        double evalLossAfter,
        double exactMatchBefore,
        double exactMatchAfter,
        String judgedBy,
        Map<String, Double> metricsBefore,
        Map<String, Double> metricsAfter,
        List<Change> evaluations,
        double trainLossLast,
        double secondsPerStep,
        double trainingSeconds,
        long peakMemoryMb,
        String folder) {
    /** One evaluation set before and after. */
    public record Change(
            String set, double lossBefore, double lossAfter, double exactMatchBefore, double exactMatchAfter) {}

    /** Returns the figures of a result. */
    public static FineTuneSummary of(FineTuneResult result, TrainingPlan plan, String folder) {
        Measurement before = result.before().get(0);
        Measurement after = result.after().get(0);
        List<Change> changes = java.util.stream.IntStream.range(
                        0, result.after().size())
                .mapToObj(i -> change(result.before().get(i), result.after().get(i)))
                .toList();
        return new FineTuneSummary(
                result.task(),
                result.candidate().method(),
                result.candidate().rank(),
                result.candidate().trainableParameters(),
                result.candidate().totalParameters(),
                result.training().steps(),
                result.training().reason().name().toLowerCase(Locale.ROOT),
                plan.learningRate(),
                plan.schedule().name().toLowerCase(Locale.ROOT),
                before.loss(),
                after.loss(),
                before.exactMatch(),
                after.exactMatch(),
                result.judgedBy().orElse(TrainingRun.LOSS),
                before.metrics(),
                after.metrics(),
                changes,
                result.training().finalLoss(),
                result.secondsPerStep(),
                result.training().seconds(),
                result.peakMemory() / 1_000_000,
                folder);
    }

    private static Change change(Measurement before, Measurement after) {
        return new Change(before.set(), before.loss(), after.loss(), before.exactMatch(), after.exactMatch());
    }
}
