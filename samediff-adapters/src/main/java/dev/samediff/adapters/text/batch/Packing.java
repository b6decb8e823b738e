package dev.samediff.adapters.text.batch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Whether several sequences share a row, which leaves (almost) no padding.
 *
 * <p>Sequences in one row see each other, but for {@link #ISOLATED}: causal attention lets the later ones look at the earlier ones, and positions run
 * on. For plain text that is customary and does no harm; for prompts and responses it changes what is learned, and {@link
 * #NONE} with length buckets is the better choice. The loss stays exact: the first token of a sequence is never learned
 * from the sequence before it, so the same tokens count as without packing. The windows of a long text that follow each
 * other are put together again as they were, without the token that they share.
 */
public enum Packing {
    /** One sequence per row. */
    NONE,
    /** All sequences in one stream, cut into rows of full length; rows share one token, so no label is lost. */
    STREAM,
    /** Whole sequences, longest first, each into the fullest row that has room for it. */
    BEST_FIT,
    /**
     * As {@link #BEST_FIT}, and sequences of a row do not see each other: the attention mask is block-diagonal, positions begin anew with each. The
     * loss of a batch is that of its sequences alone. Takes a model with a mask of pairs ({@link AttentionMask}) and positions as inputs.
     */
    ISOLATED;

    /** Packs in a way that depends only on the sequences; rows have at most {@code maxLength + 1} tokens. */
    public List<TokenSequence> pack(List<TokenSequence> sequences, int maxLength) {
        return switch (this) {
            case NONE -> List.copyOf(sequences);
            case STREAM -> stream(sequences, maxLength);
            case BEST_FIT -> bestFit(sequences, maxLength + 1, Packing::row);
            case ISOLATED -> bestFit(sequences, maxLength + 1, Packing::apart);
        };
    }

    private static List<TokenSequence> stream(List<TokenSequence> sequences, int maxLength) {
        Joined all = Joined.of(sequences);
        List<TokenSequence> rows = new ArrayList<>();
        for (int start = 0; start + 1 < all.ids.length; start += maxLength) {
            int end = Math.min(all.ids.length, start + maxLength + 1);
            boolean[] flags = Arrays.copyOfRange(all.labelled, start, end);
            flags[0] = false; // learned at the end of the row before
            if (any(flags)) {
                rows.add(new TokenSequence(Arrays.copyOfRange(all.ids, start, end), flags));
            }
        }
        return rows;
    }

    private static boolean any(boolean[] flags) {
        for (boolean flag : flags) {
            if (flag) {
                return true;
            }
        }
        return false;
    }

    private static List<TokenSequence> bestFit(
            List<TokenSequence> sequences, int capacity, Function<List<TokenSequence>, TokenSequence> joined) {
        List<TokenSequence> longestFirst = new ArrayList<>(sequences);
        longestFirst.sort(Comparator.comparingInt(TokenSequence::length).reversed());
        List<List<TokenSequence>> rows = new ArrayList<>();
        TreeMap<Integer, Deque<List<TokenSequence>>> rowsByRoom = new TreeMap<>();
        for (TokenSequence sequence : longestFirst) {
            Map.Entry<Integer, Deque<List<TokenSequence>>> fullest = rowsByRoom.ceilingEntry(sequence.length());
            List<TokenSequence> row;
            int room = capacity;
            if (fullest == null) {
                row = new ArrayList<>();
                rows.add(row);
            } else {
                room = fullest.getKey();
                row = fullest.getValue().removeFirst();
                if (fullest.getValue().isEmpty()) {
                    rowsByRoom.remove(room);
                }
            }
            row.add(sequence);
            rowsByRoom
                    .computeIfAbsent(room - sequence.length(), r -> new ArrayDeque<>())
                    .addLast(row);
        }
        return rows.stream().map(joined).toList();
    }

    private static TokenSequence row(List<TokenSequence> parts) {
        Joined row = Joined.of(parts);
        return new TokenSequence(row.ids, row.labelled);
    }

    /** Whole sequences that do not see each other, so that a window of a text keeps its first token. */
    private static TokenSequence apart(List<TokenSequence> parts) {
        int[] starts = new int[parts.size()];
        for (int i = 1; i < starts.length; i++) {
            starts[i] = starts[i - 1] + parts.get(i - 1).length();
        }
        Joined row = Joined.of(parts.stream()
                .map(part -> new TokenSequence(part.ids(), part.labelled()))
                .toList());
        return new TokenSequence(row.ids, row.labelled, false, starts);
    }

    /** Sequences one behind the other. */
    private static final class Joined {
        private final int[] ids;
        private final boolean[] labelled;

        private Joined(int[] ids, boolean[] labelled) {
            this.ids = ids;
            this.labelled = labelled;
        }

        static Joined of(List<TokenSequence> parts) {
            int[] ids = new int
                    [Math.toIntExact(
                            parts.stream().mapToLong(TokenSequence::length).sum())];
            boolean[] labelled = new boolean[ids.length];
            int end = 0;
            for (TokenSequence part : parts) {
                int first = 0;
                if (part.continues() && end > 0 && ids[end - 1] == part.ids()[0]) {
                    first = 1; // that token is there already, and the next one is learned from it
                }
                System.arraycopy(part.ids(), first, ids, end, part.length() - first);
                System.arraycopy(part.labelled(), first, labelled, end, part.length() - first);
                if (first == 0) {
                    labelled[end] = false; // what begins a sequence cannot be told from the one before
                }
                end += part.length() - first;
            }
            return new Joined(Arrays.copyOf(ids, end), Arrays.copyOf(labelled, end));
        }
    }
}
