package dev.samediff.importer.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A valid file and the changes made to it. */
record Mutant(Corpus.Base base, List<Edit> edits) {
    private static final int MOST_EDITS = 3;

    /** Returns the mutant of a seed, the same at every call. */
    static Mutant of(long seed, Corpus corpus) {
        Random random = new Random(seed);
        Corpus.Base base = corpus.pick(random);
        boolean structured = random.nextInt(5) > 1;
        List<Edit> edits = new ArrayList<>();
        int count = 1 + random.nextInt(MOST_EDITS);
        for (int i = 0; i < count; i++) {
            edits.add(new Edit(random.nextLong(), structured || random.nextInt(4) == 0));
        }
        return new Mutant(base, edits);
    }

    byte[] bytes(Corpus corpus) {
        byte[] bytes = base.bytes();
        for (Edit edit : edits) {
            bytes = edit.apply(bytes, corpus);
        }
        return bytes;
    }

    /** Returns this mutant without one of its changes. */
    Mutant without(int index) {
        List<Edit> left = new ArrayList<>(edits);
        left.remove(index);
        return new Mutant(base, left);
    }
}
