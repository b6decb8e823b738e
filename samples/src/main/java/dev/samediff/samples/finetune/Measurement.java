package dev.samediff.samples.finetune;

import java.util.List;

/**
 * How a model does on an evaluation set.
 *
 * @param set the set's name
 * @param loss mean loss of the labelled tokens, in nats
 * @param exactMatch share of prompts answered right; NaN if none was asked
 * @param samples the answers
 */
public record Measurement(String set, double loss, double exactMatch, List<Sample> samples) {
    public Measurement {
        samples = List.copyOf(samples);
    }
}
