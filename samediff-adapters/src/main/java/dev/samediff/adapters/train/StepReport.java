package dev.samediff.adapters.train;

import java.util.OptionalDouble;

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
 * @param orthonormality of methods with orthonormal vectors how far they were from it before the update, {@code ||A^T A - I||_F} of a
 *     matrix on average; empty without a penalty on it
 */
public record StepReport(
        int step,
        double loss,
        double penalty,
        double learningRate,
        double gradientNorm,
        double tokens,
        double seconds,
        OptionalDouble orthonormality) {
    /** Describes an update of a method without orthonormal vectors. */
    public StepReport(
            int step,
            double loss,
            double penalty,
            double learningRate,
            double gradientNorm,
            double tokens,
            double seconds) {
        this(step, loss, penalty, learningRate, gradientNorm, tokens, seconds, OptionalDouble.empty());
    }

    /** Returns what is minimised: task loss and penalty. */
    public double total() {
        return loss + penalty;
    }
}
