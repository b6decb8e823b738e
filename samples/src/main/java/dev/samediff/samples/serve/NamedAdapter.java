package dev.samediff.samples.serve;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;

/**
 * An adapter and the name that it is asked for by.
 *
 * @param name its name
 * @param folder its folder
 */
public record NamedAdapter(String name, Path folder) {
    public NamedAdapter {
        if (name.isBlank()) {
            throw new InvalidInputException("an adapter has no name; give NAME=DIR");
        }
    }

    /** Reads {@code NAME=DIR}, or {@code DIR}, which then is the name as far as it goes: {@code run1/adapter} is {@code run1}. */
    public static NamedAdapter parse(String text) {
        int sign = text.indexOf('=');
        if (sign >= 0) {
            return new NamedAdapter(text.substring(0, sign), Path.of(text.substring(sign + 1)));
        }
        Path folder = Path.of(text);
        Path whole = folder.toAbsolutePath().normalize();
        Path last = whole.endsWith("adapter") && whole.getParent() != null ? whole.getParent() : whole;
        return new NamedAdapter(
                last.getFileName() == null ? "" : last.getFileName().toString(), folder);
    }
}
