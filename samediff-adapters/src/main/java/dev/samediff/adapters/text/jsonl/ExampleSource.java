package dev.samediff.adapters.text.jsonl;

import java.util.Optional;
import java.util.function.Consumer;

/** Examples that are read one by one, as often as they are asked for: a file that does not fit into memory, or a list. */
@FunctionalInterface
public interface ExampleSource {
    /**
     * Hands all examples on, in their order, each time the same ones.
     *
     * @param sink takes an example
     * @throws dev.samediff.adapters.InvalidInputException if they cannot be read, or are others than before
     */
    void read(Consumer<? super Learnable> sink);

    /** Returns a sentence about what happened to the source since it was first looked at; empty if it is as it was. */
    default Optional<String> change() {
        return Optional.empty();
    }
}
