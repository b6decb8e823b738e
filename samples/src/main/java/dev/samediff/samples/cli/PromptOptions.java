package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What to write on after. */
final class PromptOptions {
    private static final int MOST_BYTES = 1 << 24;

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

    private static String text(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1); // a device has no length to ask for
            if (bytes.length > MOST_BYTES) {
                throw new InvalidInputException(file + " has more than " + MOST_BYTES
                        + " bytes; expected a file with a prompt per line: give it in parts");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        }
    }

    private List<String> lines() {
        if (file == null) {
            return List.of();
        }
        try {
            return text(file).lines().filter(line -> !line.isBlank()).toList();
        } catch (NoSuchFileException e) {
            throw new InvalidInputException(file + " does not exist; expected a file with a prompt per line", e);
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(file + " is not UTF-8 text; expected a prompt per line", e);
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
