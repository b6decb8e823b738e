package dev.samediff.importer.fuzz;

import java.util.function.Predicate;

/** The smallest change of a valid file that still goes wrong. */
record Shrinker(Corpus corpus, Predicate<byte[]> fails) {
    private static final int MOST_BYTES = 4000;

    /** Drops changes, then restores bytes as long as what is left still fails. */
    byte[] shrink(Mutant mutant) {
        Mutant least = mutant;
        for (int i = mutant.edits().size() - 1; i >= 0 && least.edits().size() > 1; i--) {
            Mutant fewer = least.without(i);
            if (fails.test(fewer.bytes(corpus))) {
                least = fewer;
            }
        }
        return restored(least.base().bytes(), least.bytes(corpus));
    }

    private byte[] restored(byte[] base, byte[] changed) {
        if (base.length != changed.length || base.length > MOST_BYTES) {
            return changed;
        }
        byte[] least = changed;
        for (int part = Integer.highestOneBit(base.length); part >= 1; part /= 2) {
            for (int start = 0; start < base.length; start += part) {
                int end = Math.min(base.length, start + part);
                if (java.util.Arrays.equals(base, start, end, least, start, end)) {
                    continue;
                }
                byte[] candidate = least.clone();
                System.arraycopy(base, start, candidate, start, end - start);
                if (fails.test(candidate)) {
                    least = candidate;
                }
            }
        }
        return least;
    }

    /** Which bytes differ, as text. */
    static String difference(byte[] base, byte[] changed) {
        int front = 0;
        while (front < Math.min(base.length, changed.length) && base[front] == changed[front]) {
            front++;
        }
        int back = 0;
        while (back < Math.min(base.length, changed.length) - front
                && base[base.length - 1 - back] == changed[changed.length - 1 - back]) {
            back++;
        }
        return "bytes " + front + " to " + (base.length - back) + " of " + base.length + " become "
                + (changed.length - back - front) + " others";
    }
}
