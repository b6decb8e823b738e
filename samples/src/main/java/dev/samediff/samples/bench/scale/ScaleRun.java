package dev.samediff.samples.bench.scale;

/**
 * What one process found.
 *
 * @param importSeconds from the start of the process to the imported graph
 * @param startSeconds of the adapters
 * @param firstStepSeconds of the first step: weights are rounded or packed, plans are made
 * @param stepSeconds median of the steps after it
 * @param importPeakBytes most resident memory until the graph was there
 * @param startPeakBytes most resident memory until the adapters were there
 * @param peakBytes most resident memory of the process
 * @param loss of the last step
 */
public record ScaleRun(
        double importSeconds,
        double startSeconds,
        double firstStepSeconds,
        double stepSeconds,
        long importPeakBytes,
        long startPeakBytes,
        long peakBytes,
        double loss) {
    /** Returns the seconds from the start of the process to the end of the first step. */
    public double secondsToFirstStep() {
        return importSeconds + startSeconds + firstStepSeconds;
    }
}
