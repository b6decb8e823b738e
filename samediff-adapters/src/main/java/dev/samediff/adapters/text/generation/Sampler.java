package dev.samediff.adapters.text.generation;

import java.util.random.RandomGenerator;

/** Chooses the next token; {@link Sampling} has the usual ways. */
@FunctionalInterface
public interface Sampler {
    /**
     * The id of the next token.
     *
     * @param logits unnormalised log probabilities by id; may be overwritten
     * @param random the random numbers of this sequence
     * @throws IllegalStateException if one of the logits is NaN or +Infinity, or all are -Infinity
     */
    int choose(float[] logits, RandomGenerator random);

    /**
     * The id of the next token, for samplers that look at what is there already; {@link #choose(float[], RandomGenerator)} for others.
     *
     * @param history ids of the prompt and of what was written after it
     */
    default int choose(float[] logits, int[] history, RandomGenerator random) {
        return choose(logits, random);
    }

    /** The most likely token; the lowest id among equals. */
    static Sampler greedy() {
        return (logits, random) -> {
            LogitsCheck.require(logits);
            int best = 0;
            for (int id = 1; id < logits.length; id++) {
                if (logits[id] > logits[best]) {
                    best = id;
                }
            }
            return best;
        };
    }

    /** Draws from softmax(logits / temperature). */
    static Sampler temperature(double temperature) {
        return new NucleusSampler(temperature, 0, 1, 0);
    }

    /**
     * Draws from softmax(logits / temperature), cut to the likeliest tokens.
     *
     * @param temperature above 0; below 1 sharper, above 1 flatter
     * @param topK only the k likeliest tokens; 0 for all
     * @param topP only the fewest likeliest tokens whose probabilities (among the k) reach p; 1 for all
     */
    static Sampler nucleus(double temperature, int topK, double topP) {
        return new NucleusSampler(temperature, topK, topP, 0);
    }
}
