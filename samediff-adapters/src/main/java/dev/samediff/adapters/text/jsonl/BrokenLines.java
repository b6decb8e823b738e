package dev.samediff.adapters.text.jsonl;

/** What to do with a line that cannot be used. */
public enum BrokenLines {
    /** The first one ends the reading with an {@code InvalidInputException}. */
    REFUSE,
    /** It is left out and told of in the {@link JsonlReport}. */
    SKIP
}
