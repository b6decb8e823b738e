package dev.samediff.adapters.predict;

/**
 * A word of a sentence with its tag.
 *
 * @param word the word
 * @param tag the most probable tag
 * @param probability its probability; 1 for a word without tokens, which is tagged {@code O} without being looked at
 */
public record TaggedWord(String word, String tag, double probability) {}
