package dev.samediff.samples.finetune;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Where a run leaves its files.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
    /**
     * Makes the folder and sees that it can be written.
     *
     * @param mayHoldRun whether a run that is in it already may go on or be replaced
     * @throws InvalidInputException if something is in the way
     * @throws IOException if the folder cannot be made or written
     */
    public void create(boolean mayHoldRun) throws IOException {
        for (Path part = path.toAbsolutePath(); part != null; part = part.getParent()) {
            if (Files.exists(part) && !Files.isDirectory(part)) {
                throw new InvalidInputException(part + " is a file, so " + path
                        + " cannot be the folder of the results; name another one with --out");
            }
        }
        Files.createDirectories(path);
        if (!mayHoldRun && !isEmpty(path)) {
            throw new InvalidInputException(
                    path + " is not empty; name another folder with --out, go on with --resume or"
                            + " replace it with --overwrite");
        }
        Files.delete(Files.createTempFile(path, ".probe", ""));
    }

    /** Returns the folder of the adapter. */
    public Path adapter() {
        return path.resolve("adapter");
    }

    /** Returns the folder of the checkpoints. */
    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** Returns the file with a line per update. */
    public Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    /** Returns the file with the figures. */
    public Path summary() {
        return path.resolve("summary.json");
    }

    /** Returns the page for people. */
    public Path report() {
        return path.resolve("report.html");
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }
}
