package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;

/**
 * In what batches texts are answered.
 *
 * @param maxLength most tokens of a text, its frame included; longer ones are cut on the right inside the frame
 * @param batchSize most texts in a batch
 */
public record PredictionPlan(int maxLength, int batchSize) {
    public PredictionPlan {
        if (maxLength < 1 || batchSize < 1) {
            throw new InvalidInputException(
                    "the maximum length " + maxLength + " and the batch size " + batchSize + " must be at least 1");
        }
    }

    /** Returns batches of up to 16 texts. */
    public static PredictionPlan upTo(int maxLength) {
        return new PredictionPlan(maxLength, 16);
    }

    /** Returns this with another batch size. */
    public PredictionPlan withBatchSize(int newBatchSize) {
        return new PredictionPlan(maxLength, newBatchSize);
    }
}
