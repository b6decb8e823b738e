package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
        List<String> lines = prompts == null ? lines() : prompts;
        if (lines.isEmpty()) {
            throw new InvalidInputException(file + " has no prompts; expected one per line");
        }
        return lines.stream().map(line -> line.replace("\\n", "\n")).toList();
    }

    private List<String> lines() {
        if (file == null) {
            return List.of();
        }
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> !line.isBlank())
                    .toList();
        } catch (NoSuchFileException e) {
            throw new InvalidInputException(file + " does not exist; expected a file with a prompt per line", e);
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(file + " is not UTF-8 text; expected a prompt per line", e);
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
