package dev.samediff.adapters.train.loss;

/**
 * A task loss in a graph: the weighted mean over the labelled items, and what it must be fed with.
 *
 * @param loss the scalar
 * @param labels placeholder of the labels
 * @param mask placeholder of the labels' weights: 1 where a label counts and 0 elsewhere, or any numbers of 0 or more; their
 *     sum is the weight of a batch
 */
public record TaskLoss(String loss, String labels, String mask) {}
