package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one rendering has cost. Costs are counted, not timed, so that what is refused is refused on every machine. */
final class Run {
    /** Templates of published models take some hundred steps for a message. */
    private static final long MOST_STEPS = 5_000_000;

    private static final long MOST_CHARACTERS = 1L << 27;
    private static final int DEEPEST = 60;

    private final Clock clock;
    private long steps;
    private long characters;
    private int depth;
    private final List<Span> generated = new ArrayList<>();
    private @Nullable StringBuilder watched;

    Run(Clock clock) {
        this.clock = clock;
    }

    /** Begins to look at what is written to a text. */
    void watch(StringBuilder out) {
        watched = out;
    }

    /** Notes a part of the text that the model is to write itself, if it is the text that is watched. */
    void generated(StringBuilder out, int from) {
        if (out == watched && out.length() > from) {
            generated.add(new Span(from, out.length()));
        }
    }

    List<Span> generated() {
        return generated;
    }

    Clock clock() {
        return clock;
    }

    /** Counts something evaluated. */
    void step() {
        if (++steps > MOST_STEPS) {
            throw new InvalidInputException("the chat template takes more than " + MOST_STEPS
                    + " steps; it loops too long for a template of a conversation");
        }
    }

    /** Counts characters, or elements of lists, that are about to be made. */
    void grow(long count) {
        characters += count;
        if (count < 0 || characters > MOST_CHARACTERS) {
            throw new InvalidInputException("the chat template makes more than " + MOST_CHARACTERS
                    + " characters; that is no template of a conversation");
        }
    }

    /** Counts a macro that is called by another. */
    void enter() {
        if (++depth > DEEPEST) {
            throw new InvalidInputException(
                    "macros of the chat template call each other more than " + DEEPEST + " deep");
        }
    }

    void leave() {
        depth--;
    }
}
