package dev.samediff.adapters.train.checkpoint;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The folder {@code DIR} with {@code checkpoint-N}, one per saved step; each appears whole or not at all. */
final class CheckpointFolder {
    private static final Logger LOG = LoggerFactory.getLogger(CheckpointFolder.class);
    private static final Pattern NAME = Pattern.compile("checkpoint-(\\d+)");

    private final Path directory;

    CheckpointFolder(Path directory) {
        this.directory = directory;
    }

    /** Writes the checkpoint of a step, then removes all but the newest few up to it. */
    Path save(int step, int kept, DurableFiles.FolderWriter content) throws IOException {
        Path target = directory.resolve("checkpoint-" + step);
        DurableFiles.writeFolder(target, content);
        List<Path> older = newestFirst().stream()
                .filter(path -> step(path) <= step)
                .skip(kept)
                .toList();
        for (Path old : older) {
            DurableFiles.deleteTree(old);
        }
        return target;
    }

    /**
     * Reads the newest checkpoint that can be read; damaged ones are left where they are, with a warning.
     *
     * @throws InvalidInputException if there is none
     */
    Checkpoint newest() throws IOException {
        List<Path> all = newestFirst();
        for (Path path : all) {
            try {
                return Checkpoint.read(path);
            } catch (IOException | InvalidInputException e) {
                LOG.warn("skipping the checkpoint {}: {}", path, e.getMessage());
            }
        }
        throw new InvalidInputException("there is no usable checkpoint in " + directory + " ("
                + (all.isEmpty() ? "no folder checkpoint-N" : all.size() + " damaged")
                + "); start the training without resuming");
    }

    private List<Path> newestFirst() throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(
                            path -> NAME.matcher(path.getFileName().toString()).matches())
                    .sorted(Comparator.comparingInt(CheckpointFolder::step).reversed())
                    .toList();
        }
    }

    private static int step(Path path) {
        Matcher name = NAME.matcher(path.getFileName().toString());
        return name.matches() ? Integer.parseInt(name.group(1)) : -1;
    }
}
