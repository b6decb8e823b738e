package dev.samediff.adapters.text.tokenizer;

import dev.samediff.adapters.text.batch.ClassificationIterator;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Text to token ids and back.
 *
 * <p>{@link #encode} never adds special tokens: {@link SequenceEncoder} and {@link ClassificationIterator} decide where
 * beginning, end and separator tokens go. Implementations are safe for use by several threads.
 */
public interface Tokenizer {
    /** Token ids of {@code text}, without beginning, end or separator tokens; empty for an empty text. */
    int[] encode(String text);

    /**
     * Token ids of {@code text} in the frame the model was pretrained with, such as {@code [CLS] text [SEP]}; the same
     * as {@link #encode} for a tokenizer without such a frame.
     */
    default int[] encodeFramed(String text) {
        return encode(text);
    }

    /** Text of {@code ids}; special tokens (padding, end, ...) leave no trace in it. */
    String decode(int[] ids);

    /** Id that fills rows of a batch up to the same length; masked everywhere, so its value never matters. */
    int padId();

    /** Id that ends a response; the model learns to emit it, generation stops at it and at the other ends of {@link #framing}. */
    int eosId();

    /** Id that begins a sequence, if the tokenizer has one. */
    default OptionalInt bosId() {
        return OptionalInt.empty();
    }

    /** The token that begins a sequence, if the tokenizer has one. */
    default Optional<Framing.Mark> bosMark() {
        return bosId().isPresent()
                ? Optional.of(new Framing.Mark(bosId().getAsInt(), "token " + bosId().getAsInt()))
                : Optional.empty();
    }

    /** What goes around a text, and what ends one; nothing and {@link #eosId} for a tokenizer without rules of its own. */
    default Framing framing() {
        return Framing.plain(eosId());
    }

    /** Id that stands for what the vocabulary cannot express, if the tokenizer has one. */
    default OptionalInt unknownId() {
        return OptionalInt.empty();
    }

    /** Number of ids: every id is in {@code [0, vocabularySize)}. */
    int vocabularySize();

    /** One line for logs and reports: kind, size, special ids. */
    String describe();
}
