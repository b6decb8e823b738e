package dev.samediff.adapters.text.batch;

import java.util.List;

/**
 * Examples as token sequences.
 *
 * @param sequences sequences in the order of the examples
 * @param report counts of what was cut, split and dropped
 */
public record EncodedExamples(List<TokenSequence> sequences, EncodingReport report) {
    public EncodedExamples {
        sequences = List.copyOf(sequences);
    }
}
