package dev.samediff.samples.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What to write on after. */
final class PromptOptions {
    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "A prompt; \\n is a line break. Several are possible.")
    @Nullable
    List<String> prompts;

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "A file with a prompt per line; \\n is a line break.")
    @Nullable
    Path file;

    /** Returns the prompts. */
    List<String> read() {
        return GivenLines.of(prompts, file, "prompt");
    }
}
