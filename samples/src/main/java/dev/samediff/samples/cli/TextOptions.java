package dev.samediff.samples.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What to say something about. */
final class TextOptions {
    @Option(names = "--text", paramLabel = "TEXT", description = "A text; \\n is a line break. Several are possible.")
    @Nullable
    List<String> texts;

    @Option(names = "--texts", paramLabel = "FILE", description = "A file with a text per line; \\n is a line break.")
    @Nullable
    Path file;

    /** Returns the texts. */
    List<String> read() {
        return GivenLines.of(texts, file, "text");
    }
}
