package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;

/**
 * Beam search: the likeliest of several texts that are followed at a time.
 *
 * <p>A finished text scores {@code log p / n^lengthPenalty}, where n counts its new tokens, the end token included, as transformers does. The
 * repetition penalty of {@link Sampling}, if there is one, is applied to log probabilities, as transformers does with beams.
 *
 * @param count texts that are followed
 * @param lengthPenalty above 0 longer texts gain, below 0 shorter ones; 1 for the mean log probability of a token
 * @param early whether the search ends with as many finished texts as there are beams; otherwise when no unfinished one could still be better
 */
public record Beams(int count, double lengthPenalty, boolean early) {
    private static final int MOST = 1024;

    public Beams {
        if (count < 2 || count > MOST) {
            throw new InvalidInputException(
                    count + " beams are not possible; give 2 to " + MOST + ", or leave them out to follow one text");
        }
        if (Double.isNaN(lengthPenalty) || Double.isInfinite(lengthPenalty)) {
            throw new InvalidInputException("the length penalty " + lengthPenalty + " is not possible; give a number");
        }
    }

    /** As many texts, mean log probability, until none could be better. */
    public static Beams of(int count) {
        return new Beams(count, 1, false);
    }

    /** With another length penalty. */
    public Beams withLengthPenalty(double penalty) {
        return new Beams(count, penalty, early);
    }

    /** Ending with as many finished texts as there are beams, or not. */
    public Beams endingEarly(boolean newEarly) {
        return new Beams(count, lengthPenalty, newEarly);
    }

    /** The score of a text of so many new tokens. */
    double score(double logProbability, int tokens) {
        return logProbability / Math.pow(tokens, lengthPenalty);
    }
}
