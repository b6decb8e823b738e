package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import java.io.Serializable;
import java.util.Arrays;

/**
 * Tokens of one training example, T + 1 of them for T input positions.
 *
 * <p>Position t of the input sees {@code ids[0..t]} and learns {@code ids[t + 1]} if that one is labelled. The first token
 * is learned from nothing: its flag is ignored. The arrays are not copied; do not change them.
 *
 * @param ids token ids, at least two
 * @param labelled by token, whether it counts in the loss; at least one behind the first does
 * @param continues whether this goes on where the sequence before it ended, and its first token is that one's last; packing
 *     then takes the token once
 * @param starts where documents begin that do not see each other, ascending from 0; {0} for one
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content below
public record TokenSequence(int[] ids, boolean[] labelled, boolean continues, int[] starts) implements Serializable {
    /** The start of a single document. */
    static final int[] ONE = {0};

    public TokenSequence {
        if (ids.length < 2 || ids.length != labelled.length) {
            throw new InvalidInputException("a sequence has " + ids.length + " tokens and " + labelled.length
                    + " label flags; expected at least two tokens and a flag for each");
        }
        if (starts.length == 0 || starts[0] != 0 || starts[starts.length - 1] >= ids.length || !ascend(starts)) {
            throw new InvalidInputException("documents of a sequence of " + ids.length + " tokens begin at "
                    + Arrays.toString(starts) + "; expected numbers that ascend from 0");
        }
        int label = 1;
        while (label < labelled.length && !labelled[label]) {
            label++;
        }
        if (label == labelled.length) {
            throw new InvalidInputException("a sequence of " + ids.length + " tokens has no labelled token behind the"
                    + " first: there is nothing to learn from it");
        }
    }

    /** A single document. */
    public TokenSequence(int[] ids, boolean[] labelled, boolean continues) {
        this(ids, labelled, continues, ONE);
    }

    /** A single document that continues no other. */
    public TokenSequence(int[] ids, boolean[] labelled) {
        this(ids, labelled, false);
    }

    private static boolean ascend(int... numbers) {
        for (int i = 1; i < numbers.length; i++) {
            if (numbers[i] <= numbers[i - 1]) {
                return false;
            }
        }
        return true;
    }

    /** All tokens count. */
    public static TokenSequence allLabelled(int... ids) {
        boolean[] labelled = new boolean[ids.length];
        Arrays.fill(labelled, true);
        return new TokenSequence(ids, labelled);
    }

    /** The same, going on where the sequence before it ended. */
    public TokenSequence continuing() {
        return new TokenSequence(ids, labelled, true, starts);
    }

    /** Number of tokens, T + 1. */
    public int length() {
        return ids.length;
    }

    /** Number of tokens that count in the loss. */
    public int labels() {
        int count = 0;
        for (int i = 1; i < labelled.length; i++) {
            count += labelled[i] ? 1 : 0;
        }
        return count;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenSequence that
                && Arrays.equals(ids, that.ids)
                && Arrays.equals(labelled, that.labelled)
                && continues == that.continues
                && Arrays.equals(starts, that.starts);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * (31 * Arrays.hashCode(ids) + Arrays.hashCode(labelled)) + Boolean.hashCode(continues))
                + Arrays.hashCode(starts);
    }

    @Override
    public String toString() {
        return "TokenSequence" + Arrays.toString(ids) + ", " + labels() + " labelled"
                + (starts.length > 1 ? ", documents at " + Arrays.toString(starts) : "");
    }
}
