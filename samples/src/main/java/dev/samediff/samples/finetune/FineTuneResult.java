package dev.samediff.samples.finetune;

import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingResult;
import java.util.List;
import java.util.Optional;

/**
 * What a fine-tuning came to.
 *
 * @param task name of the task
 * @param judgedBy the metric that said what is best; the loss if absent
 * @param candidate what was trained
 * @param before measurements before it, one per evaluation set
 * @param after the same afterwards
 * @param steps every update of this run
 * @param training what the trainer reports
 * @param peakMemory most memory the process had resident so far, in bytes
 */
public record FineTuneResult(
        String task,
        Optional<String> judgedBy,
        Candidate candidate,
        List<Measurement> before,
        List<Measurement> after,
        List<StepReport> steps,
        TrainingResult training,
        long peakMemory) {
    public FineTuneResult {
        before = List.copyOf(before);
        after = List.copyOf(after);
        steps = List.copyOf(steps);
    }

    /** Returns the median duration of an update; NaN if there was none. */
    public double secondsPerStep() {
        double[] seconds =
                steps.stream().mapToDouble(StepReport::seconds).sorted().toArray();
        return seconds.length == 0 ? Double.NaN : seconds[seconds.length / 2];
    }

    /** Returns the share of parameters that is trained. */
    public double trainableShare() {
        return (double) candidate.trainableParameters() / candidate.totalParameters();
    }
}
