package dev.samediff.adapters.train;

/**
 * One parameter update.
 *
 * @param step number of updates made, this one included
 * @param loss task loss, the weighted mean over the labelled tokens of all its batches
 * @param penalty the penalty times its coefficient; 0 without one
 * @param learningRate the learning rate used
 * @param gradientNorm norm of all gradients before clipping (without the penalty's, unless it is clipped too)
 * @param tokens labelled tokens, in all the weight of the labels: with a mask of 0 and 1 their number
 * @param seconds duration
 */
public record StepReport(
        int step,
        double loss,
        double penalty,
        double learningRate,
        double gradientNorm,
        double tokens,
        double seconds) {
    /** Returns what is minimised: task loss and penalty. */
    public double total() {
        return loss + penalty;
    }
}
