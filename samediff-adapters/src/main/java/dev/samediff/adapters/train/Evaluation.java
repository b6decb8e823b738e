package dev.samediff.adapters.train;

/**
 * The loss on the evaluation data.
 *
 * @param step updates made before
 * @param loss task loss, the weighted mean over all labelled tokens; 0 if there are none
 * @param tokens labelled tokens, in all the weight of the labels: with a mask of 0 and 1 their number
 * @param best whether it is the smallest so far; never without labelled tokens
 */
public record Evaluation(int step, double loss, double tokens, boolean best) {}
