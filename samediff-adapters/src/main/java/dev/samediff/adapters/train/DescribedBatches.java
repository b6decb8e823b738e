package dev.samediff.adapters.train;

import java.util.Map;

/**
 * An iterator that says what its batches depend on. A checkpoint keeps it, so that a training is not resumed with other data
 * or other batches.
 */
public interface DescribedBatches {
    /** Returns everything that decides what the n-th batch is, as text by name, such as {@code batch size}. */
    Map<String, String> description();
}
