package dev.samediff.importer.fuzz;

import java.util.Random;

/** One change of a file, decided by a seed. */
record Edit(long seed, boolean structured) {
    byte[] apply(byte[] bytes, Corpus corpus) {
        Random random = new Random(seed);
        return structured ? new MessageMutation(random).apply(bytes) : ByteMutation.apply(bytes, random, corpus);
    }
}
