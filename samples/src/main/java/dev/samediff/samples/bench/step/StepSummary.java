package dev.samediff.samples.bench.step;

import dev.samediff.samples.bench.Statistics;
import java.util.Collection;

/**
 * Medians over the processes that did the same job.
 *
 * @param ms time per step
 * @param megabytes peak resident memory in units of 10^6 bytes
 */
record StepSummary(double ms, double megabytes) {
    private static final double MEGABYTE = 1e6;

    static final StepSummary NONE = new StepSummary(Double.NaN, Double.NaN);

    static StepSummary of(Collection<StepRun> runs) {
        return new StepSummary(
                Statistics.median(runs.stream().map(StepRun::ms).toList()),
                Statistics.median(
                        runs.stream().map(run -> run.peakBytes() / MEGABYTE).toList()));
    }

    boolean measured() {
        return !Double.isNaN(ms);
    }
}
