package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Batches epoch after epoch. The iterator is reset before every epoch, so that the n-th batch is the same in every run
 * with a fresh iterator.
 */
final class BatchStream {
    private final MultiDataSetIterator iterator;
    private int epoch;
    private int position;
    private boolean open;

    BatchStream(MultiDataSetIterator iterator) {
        this.iterator = iterator;
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
        return iterator.next();
    }

    /** Counts the batches of an epoch by a pass over the data. */
    int countBatches() {
        if (!iterator.resetSupported()) {
            throw new InvalidInputException(
                    "the training data's iterator cannot be reset, so its epochs cannot be counted; plan steps instead");
        }
        iterator.reset();
        int count = 0;
        while (iterator.hasNext()) {
            iterator.next();
            count++;
        }
        return count;
    }

    /**
     * Goes to where another stream was: as many epochs, as many batches into the last. Every batch on the way is read,
     * because iterators that shuffle may depend on it.
     */
    void seek(int targetEpoch, int targetPosition) {
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
}
