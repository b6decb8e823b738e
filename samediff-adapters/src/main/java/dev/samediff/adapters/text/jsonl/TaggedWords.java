package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;

/**
 * A sentence of words, each with a class.
 *
 * @param words the words, at least one
 * @param labels index of the class of each
 */
public record TaggedWords(List<String> words, List<Integer> labels) {
    public TaggedWords {
        words = List.copyOf(words);
        labels = List.copyOf(labels);
        if (words.isEmpty() || words.size() != labels.size()) {
            throw new InvalidInputException("a sentence has " + words.size() + " words and " + labels.size()
                    + " labels; expected at least one word, and a label for each");
        }
    }
}
