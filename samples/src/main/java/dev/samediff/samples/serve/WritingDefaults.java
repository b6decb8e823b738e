package dev.samediff.samples.serve;

import dev.samediff.adapters.text.generation.Sampling;
import java.util.List;
import java.util.Optional;

/**
 * What holds for fields that a request leaves out.
 *
 * @param sampling how tokens are chosen
 * @param maxTokens most tokens; as many as the model sees if absent
 * @param seed seed of the draws; another one each time if absent
 * @param stops where texts end
 */
public record WritingDefaults(Sampling sampling, Optional<Integer> maxTokens, Optional<Long> seed, List<String> stops) {
    public WritingDefaults {
        stops = List.copyOf(stops);
    }

    /** Always the likeliest token, as far as the model sees. */
    public static WritingDefaults greedy() {
        return new WritingDefaults(Sampling.greedy(), Optional.empty(), Optional.empty(), List.of());
    }
}
