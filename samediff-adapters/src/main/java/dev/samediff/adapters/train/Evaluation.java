package dev.samediff.adapters.train;

/**
 * The loss on the evaluation data.
 *
 * @param step updates made before
 * @param loss task loss, the mean over all labelled tokens
 * @param tokens labelled tokens
 * @param best whether it is the smallest so far
 */
public record Evaluation(int step, double loss, long tokens, boolean best) {}
