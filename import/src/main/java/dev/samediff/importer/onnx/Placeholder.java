package dev.samediff.importer.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Short texts that stand where a model should: what downloads without Git LFS, and copies without links, leave behind. */
final class Placeholder {
    private static final int LONGEST = 1024;
    private static final String POINTER = "version https://git-lfs";

    private Placeholder() {}

    /** Returns what a file is and what to do, for the end of a message; nothing if it is no such text. */
    static String in(Path file) {
        String text;
        try (InputStream in = Files.newInputStream(file)) {
            text = new String(in.readNBytes(LONGEST), StandardCharsets.UTF_8).strip();
            if (text.startsWith(POINTER)) {
                return "a pointer of Git LFS to it; fetch the model with: git lfs pull";
            }
            boolean path = in.read() < 0 && text.matches("(\\.\\./)+[\\w./-]+");
            return path
                    ? "the text of a link, '" + text + "'; copy the folder with its links, or the file that it leads to"
                    : "";
        } catch (IOException e) {
            return ""; // whoever reads the file says so
        }
    }
}
