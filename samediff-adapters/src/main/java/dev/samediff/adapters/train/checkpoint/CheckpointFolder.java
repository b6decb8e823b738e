package dev.samediff.adapters.train.checkpoint;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.FolderManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
    private static final Pattern NAME = Pattern.compile("checkpoint-(0|[1-9]\\d{0,9})");

    private final Path directory;

    CheckpointFolder(Path directory) {
        this.directory = directory;
    }

    /** Writes the checkpoint of a step, then removes all but the newest few up to it. */
    Path save(int step, int kept, DurableFiles.FolderWriter content) throws IOException {
        Path target = directory.resolve("checkpoint-" + step);
        DurableFiles.removeLeftoversIn(directory);
        DurableFiles.writeFolder(target, content);
        List<Path> older = ours().stream().filter(path -> step(path) <= step).toList();
        for (Path old : older.subList(Math.min(kept, older.size()), older.size())) {
            remove(old);
        }
        return target;
    }

    private static void remove(Path checkpoint) throws IOException {
        if (!DurableFiles.removeFolder(checkpoint)) {
            LOG.warn("{} stays: somebody put other files into it", checkpoint);
        }
    }

    /** Removes all checkpoints that we wrote, and what dead writers left. */
    void clear() throws IOException {
        DurableFiles.removeLeftoversIn(directory);
        for (Path checkpoint : ours()) {
            remove(checkpoint);
        }
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

    /** Those that we wrote; another program's have the same names and are none of our business. */
    private List<Path> ours() throws IOException {
        List<Path> ours = new ArrayList<>();
        for (Path checkpoint : newestFirst()) {
            if (FolderManifest.isIn(checkpoint)) {
                ours.add(checkpoint);
            }
        }
        return ours;
    }

    private List<Path> newestFirst() throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(path -> step(path) >= 0 && Files.isDirectory(path))
                    .sorted(Comparator.comparingInt(CheckpointFolder::step).reversed())
                    .toList();
        }
    }

    /** The step in a folder's name; -1 if it is no checkpoint's, such as one beyond the largest step. */
    private static int step(Path path) {
        Matcher name = NAME.matcher(path.getFileName().toString());
        long step = name.matches() ? Long.parseLong(name.group(1)) : -1;
        return step <= Integer.MAX_VALUE ? (int) step : -1;
    }
}
