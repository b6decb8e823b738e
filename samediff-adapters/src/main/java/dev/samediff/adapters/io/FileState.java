package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/**
 * What a file looked like when it was first read, to notice if it is another one later.
 *
 * @param file the file
 * @param size its bytes
 * @param modified when it was last written
 */
public record FileState(Path file, long size, FileTime modified) {
    /** Looks at a file. */
    public static FileState of(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new FileState(file, attributes.size(), attributes.lastModifiedTime());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look at " + file + ": " + e.getMessage(), e);
        }
    }

    /** Returns what became of the file, as the beginning of a sentence; empty if it is as it was. */
    public Optional<String> change() {
        if (!Files.isRegularFile(file)) {
            return Optional.of(file + " is no longer there");
        }
        FileState now = of(file);
        return now.equals(this)
                ? Optional.empty()
                : Optional.of(file + " was changed (" + size + " bytes of " + modified + " before, " + now.size
                        + " bytes of " + now.modified + " now)");
    }

    /**
     * Refuses another file.
     *
     * @throws InvalidInputException if the file was changed or removed since it was first read
     */
    public void requireSame() {
        change().ifPresent(what -> {
            throw new InvalidInputException(
                    what + " while it was being read; leave it as it is until all of it is read, and start again");
        });
    }
}
