package dev.samediff.adapters.text.jsonl;

import java.util.List;

/**
 * Texts that are compared: a pair that belongs together, an anchor with a positive and negatives, or a pair with a score.
 *
 * @param texts the texts, two or more
 * @param score how similar a pair is, such as a cosine from -1 to 1; NaN if nobody says
 */
public record TextGroup(List<String> texts, double score) {
    public TextGroup {
        texts = List.copyOf(texts);
    }

    /** Texts that belong together: anchor, positive, and perhaps hard negatives. */
    public static TextGroup of(String... texts) {
        return new TextGroup(List.of(texts), Double.NaN);
    }

    /** A pair with its similarity. */
    public static TextGroup scored(String first, String second, double score) {
        return new TextGroup(List.of(first, second), score);
    }
}
