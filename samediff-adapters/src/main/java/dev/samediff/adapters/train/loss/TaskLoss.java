package dev.samediff.adapters.train.loss;

/**
 * A task loss in a graph: the mean over the labelled items, and what it must be fed with.
 *
 * @param loss the scalar
 * @param labels placeholder of the labels
 * @param mask placeholder that is 1 where a label counts and 0 elsewhere; its sum is the weight of a batch
 */
public record TaskLoss(String loss, String labels, String mask) {}
