package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;
import java.util.BitSet;
import java.util.random.RandomGenerator;

/**
 * The usual ways to choose a token, in the order of transformers: repetition penalty, temperature, top-k, top-p, min-p, then a draw.
 *
 * <p>Sources: repetition penalty, Keskar et al., arXiv 1909.05858, section 4.1, as transformers applies it (a score below 0 is multiplied, another
 * divided, once for every token of prompt and text so far); top-p, arXiv 1904.09751; min-p, arXiv 2407.01082.
 *
 * @param temperature above 0: draws from softmax(logits / temperature); 0: the likeliest token
 * @param topK only the k likeliest tokens; 0 for all
 * @param topP only the fewest likeliest tokens whose probabilities (among the k) reach p; 1 for all
 * @param minP only tokens at least so likely as this share of the likeliest one; 0 for all
 * @param repetitionPenalty above 1: tokens that occurred become less likely, below 1 more; 1 for none
 */
public record Sampling(double temperature, int topK, double topP, double minP, double repetitionPenalty)
        implements Sampler {
    public Sampling {
        if (!(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new InvalidInputException("temperature " + temperature
                    + " is not possible; give 0 (always the likeliest" + " token) or more");
        }
        if (temperature > 0) {
            var unused = new NucleusSampler(temperature, topK, topP, minP); // refuses what it cannot use
        } else if (topK != 0 || topP != 1 || minP != 0) {
            throw new InvalidInputException("top-k " + topK + ", top-p " + topP + " and min-p " + minP
                    + " choose among draws, and at temperature 0 nothing is drawn; give a temperature above 0, or leave"
                    + " them out");
        }
        if (!(repetitionPenalty > 0) || Double.isInfinite(repetitionPenalty)) {
            throw new InvalidInputException(
                    "repetition penalty " + repetitionPenalty + " is not possible; give a number above 0, 1 for none");
        }
    }

    /** Always the likeliest token. */
    public static Sampling greedy() {
        return new Sampling(0, 0, 1, 0, 1);
    }

    /** Draws from softmax(logits / temperature). */
    public static Sampling of(double temperature) {
        return new Sampling(temperature, 0, 1, 0, 1);
    }

    /** With other top-k. */
    public Sampling withTopK(int k) {
        return new Sampling(temperature, k, topP, minP, repetitionPenalty);
    }

    /** With other top-p. */
    public Sampling withTopP(double p) {
        return new Sampling(temperature, topK, p, minP, repetitionPenalty);
    }

    /** With other min-p. */
    public Sampling withMinP(double p) {
        return new Sampling(temperature, topK, topP, p, repetitionPenalty);
    }

    /** With another repetition penalty. */
    public Sampling withRepetitionPenalty(double penalty) {
        return new Sampling(temperature, topK, topP, minP, penalty);
    }

    @Override
    public int choose(float[] logits, RandomGenerator random) {
        return temperature == 0
                ? Sampler.greedy().choose(logits, random)
                : new NucleusSampler(temperature, topK, topP, minP).choose(logits, random);
    }

    @Override
    public int choose(float[] logits, int[] history, RandomGenerator random) {
        LogitsCheck.require(logits);
        if (repetitionPenalty != 1) {
            BitSet seen = new BitSet(logits.length);
            for (int id : history) {
                if (id >= 0 && id < logits.length && !seen.get(id)) { // virtual tokens have none
                    seen.set(id);
                    logits[id] =
                            (float) (logits[id] < 0 ? logits[id] * repetitionPenalty : logits[id] / repetitionPenalty);
                }
            }
        }
        return choose(logits, random);
    }
}
