package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.text.batch.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Sequences for tests; their second token tells them apart. */
public final class RandomSequences {
    private RandomSequences() {}

    public static List<TokenSequence> of(int count, int longest, long seed) {
        Random random = new Random(seed);
        List<TokenSequence> sequences = new ArrayList<>();
        for (int s = 0; s < count; s++) {
            int[] ids = new int[2 + random.nextInt(longest - 1)];
            boolean[] labelled = new boolean[ids.length];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = 1 + random.nextInt(50);
                labelled[i] = random.nextBoolean();
            }
            ids[1] = 1000 + s;
            labelled[1] = true;
            sequences.add(new TokenSequence(ids, labelled));
        }
        return sequences;
    }
}
