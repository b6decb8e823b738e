package dev.samediff.samples.intents;

/**
 * What one way of adapting gave.
 *
 * @param method how it was adapted
 * @param trainable numbers trained
 * @param newAccuracy share of sentences with new intents that are understood
 * @param oldAccuracy share of sentences with known intents that are still understood
 * @param forgetting what that share lost
 * @param secondsPerEpoch time of an epoch, without the first
 * @param seconds time of the whole adaptation
 */
public record IntentResult(
        String method,
        long trainable,
        double newAccuracy,
        double oldAccuracy,
        double forgetting,
        double secondsPerEpoch,
        double seconds) {}
