package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.Checksum;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Batches epoch after epoch. The iterator is reset before every epoch, so that the n-th batch is the same in every run
 * with a fresh iterator; a checksum of all batches that were taken tells whether it is.
 */
final class BatchStream {
    private final MultiDataSetIterator iterator;
    private final @Nullable Checksum checksum;
    private int epoch;
    private int position;
    private int batchesPerEpoch;
    private boolean open;

    /**
     * Opens a stream.
     *
     * @param iterator where batches come from
     * @param watched whether a checksum of them is asked for
     */
    BatchStream(MultiDataSetIterator iterator, boolean watched) {
        this.iterator = iterator;
        this.checksum = watched ? new Checksum() : null;
    }

    /** Tells whether the batches come from this very iterator. */
    boolean isOf(MultiDataSetIterator other) {
        return iterator == other;
    }

    /** Returns the next batch of this epoch, or null once at its end; the call after that starts the next epoch. */
    @Nullable
    MultiDataSet next() {
        if (!open) {
            reset();
            open = true;
            position = 0;
            if (!iterator.hasNext()) {
                throw new InvalidInputException("the training data has no batches"
                        + (epoch > 0 && !iterator.resetSupported()
                                ? " for epoch " + (epoch + 1) + ": its iterator cannot be reset"
                                : ""));
            }
        }
        if (!iterator.hasNext()) {
            open = false;
            epoch++;
            return null;
        }
        position++;
        MultiDataSet batch = iterator.next();
        Checksum sum = checksum;
        if (sum != null) {
            sum.add(batch.getFeatures());
            sum.add(batch.getLabels());
            sum.add(batch.getLabelsMaskArrays());
        }
        return batch;
    }

    /** Counts the batches of an epoch by a pass over the data, once. */
    int countBatches() {
        if (batchesPerEpoch > 0) {
            return batchesPerEpoch;
        }
        if (!iterator.resetSupported()) {
            throw new InvalidInputException(
                    "the training data's iterator cannot be reset, so its epochs cannot be counted; plan steps instead");
        }
        iterator.reset();
        while (iterator.hasNext()) {
            iterator.next();
            batchesPerEpoch++;
        }
        if (batchesPerEpoch == 0) {
            throw new InvalidInputException("the training data has no batches");
        }
        return batchesPerEpoch;
    }

    /**
     * Goes to where another stream was: as many epochs, as many batches into the last. Every batch on the way is read,
     * because iterators that shuffle may depend on it.
     *
     * @param expected the checksum of the other stream there; null if it is not known
     * @throws InvalidInputException if these are not the same batches
     */
    void seek(int targetEpoch, int targetPosition, @Nullable String expected) {
        while (epoch < targetEpoch) {
            next();
        }
        for (int i = 0; i < targetPosition; i++) {
            if (next() == null) {
                throw new InvalidInputException("the training data has only " + i + " batches in epoch "
                        + (targetEpoch + 1) + ", the checkpoint was made after " + targetPosition
                        + "; resume with the data it was trained on");
            }
        }
        if (expected != null && !expected.equals(checksum())) {
            throw new InvalidInputException("the training data is not that of the checkpoint: the batches up to number "
                    + targetPosition + " of epoch " + (targetEpoch + 1) + " have the checksum " + checksum()
                    + ", those that it was trained on " + expected
                    + ". Resume with the same data in the same order, or start anew in another directory");
        }
    }

    private void reset() {
        if (iterator.resetSupported()) {
            iterator.reset();
        }
    }

    /** Returns the number of complete epochs. */
    int epoch() {
        return epoch;
    }

    /** Returns the number of batches taken from the open epoch. */
    int position() {
        return open ? position : 0;
    }

    /** Returns the checksum of all batches that were taken; empty if the stream is not watched. */
    String checksum() {
        return checksum == null ? "" : checksum.text();
    }
}
