package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;

/**
 * A sentence of words as tokens, with the place of each word's first token, which stands for the word: the one alignment that taggers are
 * trained and asked with.
 *
 * <p>Words are encoded one by one, with a blank before all but the first where the tokenizer's pieces of the whole text say that it
 * belongs there. Longer sentences go into several windows, each in the tokenizer's frame.
 */
public final class WordPieces {
    private final int[] head;
    private final int[] tail;
    private final int[][] words;

    private WordPieces(int[] head, int[] tail, int[][] words) {
        this.head = head;
        this.tail = tail;
        this.words = words;
    }

    /**
     * Words that fit together.
     *
     * @param first number of the first word in the sentence
     * @param ids token ids, the frame included
     * @param places for each word the place of its first token in {@code ids}; -1 for a word without tokens
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Window(int first, int[] ids, int[] places) {
        /** Returns the number of the word behind the last one. */
        public int end() {
            return first + places.length;
        }
    }

    /** Encodes the words of a sentence. */
    public static WordPieces of(List<String> words, Tokenizer tokenizer) {
        String text = String.join(" ", words);
        int[] body = tokenizer.encode(text);
        int[] framed = tokenizer.encodeFramed(text);
        FramedText.Frame frame = FramedText.Frame.of(framed, body);
        return new WordPieces(
                Arrays.copyOf(framed, frame.head()),
                Arrays.copyOfRange(framed, framed.length - frame.tail(), framed.length),
                pieces(words, body, tokenizer));
    }

    /** Number of words. */
    public int size() {
        return words.length;
    }

    /**
     * Returns as many words, from one on, as the maximum length has room for. A word that is longer than all of it is cut: its first token
     * stands for it anyway.
     *
     * @param first number of the first word
     * @param maxLength most tokens, the frame included
     * @throws InvalidInputException if there is no room behind the frame
     */
    public Window window(int first, int maxLength) {
        int room = maxLength - head.length - tail.length;
        if (room < 1) {
            throw new InvalidInputException("the maximum length " + maxLength + " has no room for a word beside the "
                    + (head.length + tail.length) + " tokens of the tokenizer's frame; raise it");
        }
        int end = first;
        int length = 0;
        while (end < words.length && (length + words[end].length <= room || length == 0)) {
            length += Math.min(room, words[end++].length);
        }
        int[] ids = new int[head.length + length + tail.length];
        int[] places = new int[end - first];
        System.arraycopy(head, 0, ids, 0, head.length);
        int at = head.length;
        for (int word = first; word < end; word++) {
            int pieces = Math.min(room, words[word].length);
            System.arraycopy(words[word], 0, ids, at, pieces);
            places[word - first] = pieces == 0 ? -1 : at;
            at += pieces;
        }
        System.arraycopy(tail, 0, ids, at, tail.length);
        return new Window(first, ids, places);
    }

    /** The words' tokens, in the way that gives those of the whole text, if one does. */
    private static int[][] pieces(List<String> words, int[] body, Tokenizer tokenizer) {
        int[][] spaced = new int[words.size()][];
        for (int i = 0; i < spaced.length; i++) {
            spaced[i] = tokenizer.encode(i == 0 ? words.get(0) : " " + words.get(i));
        }
        int[] joined = Arrays.stream(spaced).flatMapToInt(Arrays::stream).toArray();
        return Arrays.equals(joined, body)
                ? spaced
                : words.stream().map(tokenizer::encode).toArray(int[][]::new);
    }
}
