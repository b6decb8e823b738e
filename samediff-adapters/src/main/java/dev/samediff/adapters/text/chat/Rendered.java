package dev.samediff.adapters.text.chat;

import java.util.List;

/**
 * A conversation as text.
 *
 * @param text the text
 * @param generated what stands between {@code {% generation %}} and {@code {% endgeneration %}}: what the model is to write itself; empty for
 *     templates that do not say
 */
public record Rendered(String text, List<Span> generated) {
    public Rendered {
        generated = List.copyOf(generated);
    }
}
