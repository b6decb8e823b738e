package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Optional;

/**
 * How far and in what batches to generate.
 *
 * @param maxNewTokens most tokens added to a prompt
 * @param contextLength most tokens the model sees
 * @param batchSize prompts generated together; does not change the result of any of them
 * @param padToMultipleOf the padded length is rounded up to a multiple of this, at most {@code contextLength}, so that
 *     the model sees fewer different shapes; 1 for none
 * @param sampler chooses tokens
 * @param stops texts at which writing stops; of special tokens, which no text shows, the tokenizer's ends are meant
 * @param seed seed of the sampler; each prompt has its own random numbers by its index
 * @param beams how many texts are followed at a time, if more than the one that the sampler chooses
 */
public record GenerationPlan(
        int maxNewTokens,
        int contextLength,
        int batchSize,
        int padToMultipleOf,
        Sampler sampler,
        List<String> stops,
        long seed,
        Optional<Beams> beams) {
    public GenerationPlan {
        stops = List.copyOf(stops);
        if (stops.contains("")) {
            throw new InvalidInputException("an empty stop string would end every text at once; leave it out");
        }
        if (maxNewTokens < 1 || contextLength < 2 || batchSize < 1 || padToMultipleOf < 1) {
            throw new InvalidInputException("new tokens " + maxNewTokens + ", batch size " + batchSize
                    + " and padding multiple " + padToMultipleOf + " must be at least 1, context length "
                    + contextLength
                    + " at least 2");
        }
        if (beams.isPresent() && !(sampler instanceof Sampling sampling && sampling.temperature() == 0)) {
            throw new InvalidInputException("beams are followed by their probabilities, nothing is drawn; leave the"
                    + " temperature at 0 (Sampling.greedy()), or leave the beams out");
        }
    }

    /** Greedy, 8 prompts at a time, lengths as they are. */
    public static GenerationPlan greedy(int maxNewTokens, int contextLength) {
        return new GenerationPlan(maxNewTokens, contextLength, 8, 1, Sampling.greedy(), List.of(), 0, Optional.empty());
    }

    /** With another batch size. */
    public GenerationPlan batched(int size) {
        return new GenerationPlan(maxNewTokens, contextLength, size, padToMultipleOf, sampler, stops, seed, beams);
    }

    /** With lengths rounded up to a multiple. */
    public GenerationPlan paddedToMultipleOf(int multiple) {
        return new GenerationPlan(maxNewTokens, contextLength, batchSize, multiple, sampler, stops, seed, beams);
    }

    /** With this sampler and seed. */
    public GenerationPlan sampled(Sampler newSampler, long newSeed) {
        return new GenerationPlan(
                maxNewTokens, contextLength, batchSize, padToMultipleOf, newSampler, stops, newSeed, beams);
    }

    /** With these stop strings. */
    public GenerationPlan stoppedAt(List<String> texts) {
        return new GenerationPlan(maxNewTokens, contextLength, batchSize, padToMultipleOf, sampler, texts, seed, beams);
    }

    /** With several texts followed at a time, see {@link Beams}. */
    public GenerationPlan withBeams(Beams newBeams) {
        return new GenerationPlan(
                maxNewTokens, contextLength, batchSize, padToMultipleOf, sampler, stops, seed, Optional.of(newBeams));
    }
}
