package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Files from elsewhere, before they are opened: who opens a pipe waits until somebody writes into it, and a device, or a file with
 * holes, can have more bytes than there is memory.
 */
public final class GivenFile {
    /** More than any description in JSON has, in bytes; as a tree it may take thirty times as much memory. */
    public static final long MOST_JSON = 16L << 20;

    private GivenFile() {}

    /**
     * Checks that a path leads to a regular file.
     *
     * @param expected ends the sentence "FILE does not exist; expected ..."
     * @throws InvalidInputException if it does not
     */
    public static void require(Path file, String expected) {
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(
                    file + (Files.exists(file) ? " is not a file" : " does not exist") + "; expected " + expected);
        }
    }

    /**
     * Checks that a path leads to a regular file of a bounded size.
     *
     * @param most how many bytes it may have
     * @throws InvalidInputException if it does not, or has more
     * @throws IOException if it cannot be looked at
     */
    public static void require(Path file, long most, String expected) throws IOException {
        require(file, expected);
        long size = Files.size(file);
        if (size > most) {
            throw new InvalidInputException(
                    file + " has " + size + " bytes, more than the " + most + " that are read; expected " + expected);
        }
    }

    /** Reads a file as a whole, as {@link #require(Path, long, String)} allows it. */
    public static byte[] bytes(Path file, long most, String expected) throws IOException {
        require(file, most, expected);
        return Files.readAllBytes(file);
    }
}
