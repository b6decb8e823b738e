package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;

/**
 * A prompt that a model is given, and the response it should write.
 *
 * @param prompt what the model is given; empty for plain text, of which every token is learned
 * @param response what it should write; not empty
 */
public record TextExample(String prompt, String response) implements Learnable {
    public TextExample {
        if (response.isEmpty()) {
            throw new InvalidInputException("the response to the prompt `" + JsonFiles.excerpt(prompt)
                    + "` is empty; an example needs at least one character to learn");
        }
    }

    /** Plain text: every token counts. */
    public static TextExample text(String text) {
        return new TextExample("", text);
    }

    /** Whether this is plain text, without a prompt. */
    public boolean isPlainText() {
        return prompt.isEmpty();
    }
}
