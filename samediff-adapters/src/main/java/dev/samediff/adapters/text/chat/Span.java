package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;

/**
 * A part of a text.
 *
 * @param from its first character (UTF-16)
 * @param to the one behind its last
 */
public record Span(int from, int to) {
    public Span {
        if (from < 0 || to <= from) {
            throw new InvalidInputException("a part of a text from " + from + " to " + to + " has no characters");
        }
    }
}
