package dev.samediff.adapters;

/**
 * How far the start of an adapter is.
 *
 * @param module the layer whose weight was factorised last
 * @param done weights that are factorised; of a stack of experts, each counts
 * @param all weights there are
 * @param doneElements numbers in the weights that are factorised, a measure of the time they took
 * @param allElements numbers in all of them
 */
public record StartProgress(String module, int done, int all, long doneElements, long allElements) {}
