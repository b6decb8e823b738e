package dev.samediff.adapters;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Prompt tuning (Lester et al. 2021, arXiv 2104.08691): n rows P [n,D], the only thing that is trained, in front of every embedded text. A text
 * [N] is read as {@code [P; E(text)]}, of length n + N: positions count from the first virtual token, the mask is 1 there, and nothing is
 * to be predicted at them but the first token of the text at the last.
 *
 * <p>The graph's inputs say where they are: the virtual tokens have the ids {@code -1, -2, ..., -n}, in this order, and stand in
 * {@code input_ids} in front of the text's own. They mean P, whatever ids below zero mean in the graph without them.
 * {@link dev.samediff.adapters.text.tokenizer.Framing#behind} puts them there.
 *
 * @param count n
 * @param start tokens from whose embeddings P starts, repeated or cut to n as PEFT's {@code TEXT} does; none for embeddings of tokens that
 *     are drawn by the adapter's seed (the paper's section 3.2, "sampled vocabulary"; PEFT's {@code RANDOM} draws normal numbers)
 */
public record VirtualTokens(int count, List<Integer> start) {
    /** More than any text model reads; PEFT's users take 8 to 100. */
    private static final int MOST = 4096;

    public VirtualTokens {
        start = List.copyOf(start);
        if (count < 1 || count > MOST) {
            throw new InvalidInputException(
                    count + " virtual tokens are not possible; give 1 to " + MOST + ", such as 20");
        }
        for (int token : start) {
            if (token < 0) {
                throw new InvalidInputException("virtual tokens cannot start from the token " + token
                        + "; tokens are rows of the table, from 0");
            }
        }
    }

    /** Returns n virtual tokens that start as tokens of the vocabulary. */
    public static VirtualTokens of(int count) {
        return new VirtualTokens(count, List.of());
    }

    /** Returns these, started from the embeddings of a text's tokens. */
    public VirtualTokens startingFrom(int... tokens) {
        return new VirtualTokens(count, IntStream.of(tokens).boxed().toList());
    }

    /** Returns the ids, in their order: -1 to -n. */
    public int[] ids() {
        return ids(count);
    }

    /** Returns the ids of so many, in their order. */
    public static int[] ids(int count) {
        return IntStream.rangeClosed(1, count).map(k -> -k).toArray();
    }

    /** Tells whether an id is that of a virtual token. */
    public static boolean isOne(int id) {
        return id < 0;
    }
}
