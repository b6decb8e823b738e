package dev.samediff.adapters.text.batch;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Rows of several sequences each, one row at a time: in the heap are numbers of sequences only. */
final class PackedRows {
    private PackedRows() {}

    static TokenStore of(TokenStore sequences, Packing packing, int maxLength) {
        try (TokenStoreBuilder rows = new TokenStoreBuilder()) {
            if (packing == Packing.STREAM) {
                stream(sequences, maxLength, rows);
            } else {
                bestFit(sequences, maxLength + 1, packing == Packing.ISOLATED, rows);
            }
            return rows.store();
        }
    }

    private static void stream(TokenStore sequences, int maxLength, TokenStoreBuilder rows) {
        Row row = new Row(maxLength + 1);
        for (TokenSequence sequence : sequences) {
            int first = row.firstOf(sequence);
            for (int t = first; t < sequence.length(); t++) {
                // what begins a sequence cannot be told from the one before
                row.add(sequence.ids()[t], t > 0 && sequence.labelled()[t]);
                if (row.length == row.ids.length) {
                    row.addTo(rows);
                    row.keepLast(); // rows share one token, which is learned at the end of the row before
                }
            }
        }
        row.addTo(rows);
    }

    /** Longest first, each into the fullest row that has room for it. */
    private static void bestFit(TokenStore sequences, int capacity, boolean apart, TokenStoreBuilder builder) {
        int[] order = longestFirst(sequences);
        int[] rowOf = new int[order.length];
        int rows = 0;
        TreeMap<Integer, Deque<Integer>> rowsByRoom = new TreeMap<>();
        for (int i = 0; i < order.length; i++) {
            int length = sequences.length(order[i]);
            Map.Entry<Integer, Deque<Integer>> fullest = rowsByRoom.ceilingEntry(length);
            int room = capacity;
            if (fullest == null) {
                rowOf[i] = rows++;
            } else {
                room = fullest.getKey();
                rowOf[i] = Objects.requireNonNull(fullest.getValue().poll());
                if (fullest.getValue().isEmpty()) {
                    rowsByRoom.remove(room);
                }
            }
            if (room - length > 1) { // a sequence has two tokens at least
                rowsByRoom
                        .computeIfAbsent(room - length, r -> new ArrayDeque<>())
                        .add(rowOf[i]);
            }
        }
        join(sequences, byRow(order, rowOf, rows), firsts(rowOf, rows), new Row(capacity), apart, builder);
    }

    /** Numbers of the sequences; equal lengths keep their order. */
    private static int[] longestFirst(TokenStore sequences) {
        long[] keys = new long[sequences.size()];
        Arrays.setAll(keys, i -> (long) -sequences.length(i) << 32 | i);
        Arrays.sort(keys);
        int[] order = new int[keys.length];
        Arrays.setAll(order, i -> (int) keys[i]);
        return order;
    }

    /** Where each row's members begin, and where the last one's end. */
    private static int[] firsts(int[] rowOf, int rows) {
        int[] firsts = new int[rows + 1];
        for (int row : rowOf) {
            firsts[row + 1]++;
        }
        Arrays.parallelPrefix(firsts, Integer::sum);
        return firsts;
    }

    /** The sequences row by row, in each as they came in. */
    private static int[] byRow(int[] order, int[] rowOf, int rows) {
        int[] next = firsts(rowOf, rows);
        int[] members = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            members[next[rowOf[i]]++] = order[i];
        }
        return members;
    }

    private static void join(
            List<TokenSequence> sequences,
            int[] members,
            int[] firsts,
            Row row,
            boolean apart,
            TokenStoreBuilder builder) {
        for (int r = 0; r + 1 < firsts.length; r++) {
            row.length = 0;
            int[] starts = apart ? new int[firsts[r + 1] - firsts[r]] : TokenSequence.ONE;
            for (int m = firsts[r]; m < firsts[r + 1]; m++) {
                TokenSequence sequence = sequences.get(members[m]);
                if (apart) {
                    starts[m - firsts[r]] = row.length;
                }
                // a window of a text that does not see the one before it keeps its first token
                for (int t = apart ? 0 : row.firstOf(sequence); t < sequence.length(); t++) {
                    row.add(sequence.ids()[t], t > 0 && sequence.labelled()[t]);
                }
            }
            builder.add(new TokenSequence(
                    Arrays.copyOf(row.ids, row.length), Arrays.copyOf(row.labelled, row.length), false, starts));
        }
    }

    /** A row that is being filled. */
    private static final class Row {
        private final int[] ids;
        private final boolean[] labelled;
        private int length;

        Row(int capacity) {
            ids = new int[capacity];
            labelled = new boolean[capacity];
        }

        /** 1 for a sequence that goes on where this row ends: that token is there already, and the next one is learned from it. */
        int firstOf(TokenSequence sequence) {
            return sequence.continues() && length > 0 && ids[length - 1] == sequence.ids()[0] ? 1 : 0;
        }

        void add(int id, boolean counts) {
            ids[length] = id;
            labelled[length++] = counts;
        }

        void keepLast() {
            ids[0] = ids[length - 1];
            length = 1;
        }

        /** Adds the row to others if something of it counts; what it begins with does not. */
        void addTo(TokenStoreBuilder rows) {
            labelled[0] = false;
            for (int t = 1; t < length; t++) {
                if (labelled[t]) {
                    rows.add(new TokenSequence(Arrays.copyOf(ids, length), Arrays.copyOf(labelled, length)));
                    return;
                }
            }
        }
    }
}
