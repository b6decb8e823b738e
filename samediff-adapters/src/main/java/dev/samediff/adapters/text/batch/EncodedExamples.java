package dev.samediff.adapters.text.batch;

import java.util.List;

/**
 * Examples as token sequences.
 *
 * @param sequences sequences in the order of the examples; many lie outside of the Java heap ({@link TokenStore})
 * @param report counts of what was cut, split and dropped
 */
public record EncodedExamples(List<TokenSequence> sequences, EncodingReport report) {
    public EncodedExamples {
        sequences = TokenStore.of(sequences);
    }

    /**
     * The examples of one shard of several: {@code shard}, {@code shard + shards}, {@code shard + 2 shards} and so on.
     *
     * @param shard number of the shard, from 0
     * @param shards how many there are
     */
    public EncodedExamples shard(int shard, int shards) {
        return new EncodedExamples(TokenStore.of(sequences).every(shard, shards), report);
    }
}
