package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.Span;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.List;

/**
 * A text of which some parts are learned and the others only read, such as a conversation with its answers.
 *
 * @param text the text
 * @param learned its parts that are learned, in order, at least one
 */
public record MaskedText(String text, List<Span> learned) implements Learnable {
    public MaskedText {
        learned = List.copyOf(learned);
        int end = 0;
        for (Span span : learned) {
            if (span.from() < end || span.to() > text.length()) {
                throw new InvalidInputException("the learned parts " + learned + " of a text of " + text.length()
                        + " characters overlap or leave it; give them in order");
            }
            end = span.to();
        }
        if (learned.isEmpty()) {
            throw new InvalidInputException("nothing of the text `" + JsonFiles.excerpt(text)
                    + "` is learned; an example needs at least one part to learn");
        }
    }
}
