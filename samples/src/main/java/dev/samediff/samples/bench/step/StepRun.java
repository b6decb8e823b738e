package dev.samediff.samples.bench.step;

import java.util.List;

/**
 * What one process found.
 *
 * @param ms median of the measured steps
 * @param peakBytes peak resident memory of the whole process
 * @param losses task losses of the first steps, before each update
 * @param version of the library that computed
 */
public record StepRun(double ms, long peakBytes, List<Double> losses, String version) {
    /** How many losses a run tells at most. */
    static final int LOSSES = 10;
}
