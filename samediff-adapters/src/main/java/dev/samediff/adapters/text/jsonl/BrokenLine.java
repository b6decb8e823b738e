package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.text.tokenizer.JsonFiles;
import org.jspecify.annotations.Nullable;

/** A line that cannot be used; {@link JsonlLines} adds the file, the number and the excerpt. */
final class BrokenLine extends Exception {
    private static final long serialVersionUID = 1L;

    private final @Nullable String text;

    BrokenLine(String what) {
        this(what, null, null);
    }

    BrokenLine(String what, @Nullable String text, @Nullable Throwable cause) {
        super(what, cause);
        this.text = text;
    }

    String sentence(String file, long number, String line) {
        return file + ", line " + number + ": " + getMessage() + " | " + JsonFiles.excerpt(text == null ? line : text);
    }
}
