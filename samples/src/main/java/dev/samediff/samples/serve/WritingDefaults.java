package dev.samediff.samples.serve;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.generation.Beams;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.Sampling;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What holds for fields that a request leaves out.
 *
 * @param sampling how tokens are chosen
 * @param maxTokens most tokens; as many as the model sees if absent
 * @param seed seed of the draws; another one each time if absent
 * @param stops where texts end
 * @param beams texts that are followed at a time, where nothing is drawn
 */
public record WritingDefaults(
        Sampling sampling,
        Optional<Integer> maxTokens,
        Optional<Long> seed,
        List<String> stops,
        Optional<Beams> beams) {
    public WritingDefaults {
        stops = List.copyOf(stops);
        if (beams.isPresent() && sampling.temperature() > 0) {
            throw new InvalidInputException("--beams follows texts by their probabilities, nothing is drawn; leave"
                    + " --temperature at 0, or leave --beams out");
        }
    }

    /** Always the likeliest token, as far as the model sees. */
    public static WritingDefaults greedy() {
        return new WritingDefaults(Sampling.greedy(), Optional.empty(), Optional.empty(), List.of(), Optional.empty());
    }

    /**
     * Returns how a text is written.
     *
     * @param lengths most tokens
     * @param chosen how tokens are chosen; beams are followed if it draws nothing
     * @param ofSeed the seed, if there is one
     * @param ends where the text ends
     */
    public GenerationPlan plan(GenerationPlan lengths, Sampling chosen, Optional<Long> ofSeed, List<String> ends) {
        GenerationPlan plan = lengths.sampled(
                        chosen,
                        ofSeed.or(this::seed)
                                .orElseGet(() -> ThreadLocalRandom.current().nextLong()))
                .stoppedAt(ends);
        return beams.isPresent() && chosen.temperature() == 0 ? plan.withBeams(beams.get()) : plan;
    }
}
