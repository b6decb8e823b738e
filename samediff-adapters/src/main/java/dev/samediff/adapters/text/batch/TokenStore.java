package dev.samediff.adapters.text.batch;

import java.io.Serial;
import java.io.Serializable;
import java.nio.IntBuffer;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/**
 * Sequences outside of the Java heap: their tokens lie in a temporary file that is mapped, so that the system keeps in memory what there is room
 * for. The file has no name where the system allows that (all but Windows) and is gone with the process, however it ends. What is shorter than
 * {@value #CHUNK} numbers stays in the heap, and there is no file. In the heap remain 8 bytes a sequence. Made by {@link TokenStoreBuilder}; each
 * {@link #get} reads one sequence. Safe for several threads.
 *
 * <p>A sequence is {@code header, [n, starts...], tokens...}: the header holds its length and in its upper bits whether it continues the one
 * before it and whether starts of documents follow; a token is its id, negated ({@code ~id}) where it counts. Where the header says that there are
 * virtual tokens, whose ids are below zero and which never count, one is {@link #VIRTUAL} less its id, and other ids are below 2^30.
 */
public final class TokenStore extends AbstractList<TokenSequence> implements RandomAccess, Serializable {
    private static final long serialVersionUID = 1L;

    /** Numbers of one piece of the file, 4 bytes each. */
    static final int CHUNK = 1 << 20;

    static final int CONTINUES = 1 << 31;
    static final int HAS_STARTS = 1 << 30;
    static final int HAS_VIRTUAL = 1 << 29;
    private static final int LENGTH = HAS_VIRTUAL - 1;

    /** What virtual tokens' ids are taken from. */
    static final int VIRTUAL = Integer.MIN_VALUE;

    private static final int LAST_VIRTUAL = VIRTUAL >> 1;

    private final transient List<IntBuffer> chunks;
    private final transient long[] index;

    /**
     * Takes what a builder made.
     *
     * @param chunks pieces, which are not changed any more
     * @param index of each sequence: number of the piece in the upper half, place in it in the lower
     */
    TokenStore(List<IntBuffer> chunks, long[] index) {
        this.chunks = List.copyOf(chunks);
        this.index = index;
    }

    /** Stores sequences; a store is returned as it is. */
    static TokenStore of(List<TokenSequence> sequences) {
        if (sequences instanceof TokenStore store) {
            return store;
        }
        try (TokenStoreBuilder builder = new TokenStoreBuilder()) {
            sequences.forEach(builder::add);
            return builder.store();
        }
    }

    @Override
    public TokenSequence get(int i) {
        IntBuffer chunk = chunk(i);
        int place = (int) index[i];
        int header = chunk.get(place++);
        int[] starts = TokenSequence.ONE;
        if ((header & HAS_STARTS) != 0) {
            starts = new int[chunk.get(place++)];
            chunk.get(place, starts);
            place += starts.length;
        }
        boolean hasVirtual = (header & HAS_VIRTUAL) != 0;
        int[] ids = new int[header & LENGTH];
        boolean[] labelled = new boolean[ids.length];
        chunk.get(place, ids);
        for (int t = 0; t < ids.length; t++) {
            if (hasVirtual && ids[t] < LAST_VIRTUAL) {
                ids[t] = VIRTUAL - ids[t];
            } else if (ids[t] < 0) {
                ids[t] = ~ids[t];
                labelled[t] = true;
            }
        }
        return new TokenSequence(ids, labelled, (header & CONTINUES) != 0, starts);
    }

    /** Number of tokens of a sequence, without reading them. */
    int length(int i) {
        return chunk(i).get((int) index[i]) & LENGTH;
    }

    /** Whether a sequence holds several documents. */
    boolean hasStarts(int i) {
        return (chunk(i).get((int) index[i]) & HAS_STARTS) != 0;
    }

    private IntBuffer chunk(int i) {
        return chunks.get((int) (index[i] >>> 32));
    }

    @Override
    public int size() {
        return index.length;
    }

    /**
     * The sequences {@code first}, {@code first + step}, {@code first + 2 step} and so on; nothing is copied.
     *
     * @param first number of the first one, from 0
     * @param step at least 1
     */
    public TokenStore every(int first, int step) {
        long[] some = new long[Math.max(0, (index.length - first + step - 1) / step)];
        Arrays.setAll(some, i -> index[first + i * step]);
        return new TokenStore(chunks, some);
    }

    /** The file cannot travel: what is serialised is a list of the sequences. */
    @Serial
    private Object writeReplace() {
        return new ArrayList<>(this);
    }
}
