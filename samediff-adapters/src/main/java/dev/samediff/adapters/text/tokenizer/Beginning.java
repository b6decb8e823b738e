package dev.samediff.adapters.text.tokenizer;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;

/** Whether texts begin with the tokenizer's beginning token. */
public enum Beginning {
    /** As the tokenizer's files say. */
    AUTO,
    /** They do, whatever the files say. */
    YES,
    /** They do not, whatever the files say. */
    NO;

    /**
     * The tokenizer's framing with this choice.
     *
     * @throws InvalidInputException if a beginning token is wanted and the tokenizer has none
     */
    public Framing of(Tokenizer tokenizer) {
        Framing framing = tokenizer.framing();
        return switch (this) {
            case AUTO -> framing;
            case NO -> framing.withBefore(List.of(), "as asked for");
            case YES ->
                framing.before().isEmpty()
                        ? framing.withBefore(
                                List.of(
                                        tokenizer
                                                .bosMark()
                                                .orElseThrow(
                                                        () -> new InvalidInputException(
                                                                "the tokenizer (" + tokenizer.describe()
                                                                        + ") has no beginning token; encode without one, or name it when loading the tokenizer"))),
                                "as asked for")
                        : framing;
        };
    }
}
