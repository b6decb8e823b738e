package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
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

/** Texts from the command line, or from a file with one per line. */
final class GivenLines {
    private static final int MOST_BYTES = 1 << 24;

    private GivenLines() {}

    /**
     * Returns the texts; {@code \\n} in them is a line break.
     *
     * @param given those of the command line; null if there is a file instead
     * @param file the file; null if there is none
     * @param what what each is
     * @throws InvalidInputException if the file cannot be read or has none
     */
    static List<String> of(@Nullable List<String> given, @Nullable Path file, String what) {
        List<String> lines = given != null ? given : file == null ? List.of() : lines(file, what);
        if (lines.isEmpty()) {
            throw new InvalidInputException(file + " has no " + what + "s; expected one per line");
        }
        return lines.stream().map(line -> line.replace("\\n", "\n")).toList();
    }

    private static List<String> lines(Path file, String what) {
        try {
            return text(file, what).lines().filter(line -> !line.isBlank()).toList();
        } catch (NoSuchFileException e) {
            throw new InvalidInputException(file + " does not exist; expected a file with a " + what + " per line", e);
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(file + " is not UTF-8 text; expected a " + what + " per line", e);
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String text(Path file, String what) throws IOException {
        if (!file.toString().matches("/dev/(stdin|fd/\\d+)")) { // what a shell gives is written by somebody
            GivenFile.require(file, "a file with a " + what + " per line");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1); // a device has no length to ask for
            if (bytes.length > MOST_BYTES) {
                throw new InvalidInputException(file + " has more than " + MOST_BYTES
                        + " bytes; expected a file with a " + what + " per line: give it in parts");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        }
    }
}
