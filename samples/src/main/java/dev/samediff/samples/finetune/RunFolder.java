package dev.samediff.samples.finetune;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.Destination;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.FolderManifest;
import dev.samediff.adapters.io.LockFile;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a run leaves its files. One run at a time has the folder ({@link #lock}); a list in it says which files are a run's
 * ({@link FolderManifest}), and only a folder with nothing else is taken by {@code --overwrite}.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
    private static final String LOCK = ".run.lock";

    /** What runs of any kind leave; folders among them say themselves what is theirs. */
    private static final List<String> FILES = List.of(
            "adapter",
            KeptAdapters.FOLDER,
            "analysis.csv",
            "model.onnx",
            "model.onnx.data",
            "task.json",
            "checkpoints",
            "metrics.jsonl",
            "run.yaml",
            "summary.json",
            "report.html",
            "sweep.json",
            "journal.jsonl",
            ".journal.jsonl.lock",
            "trials.csv",
            "olora-ranks");

    /** What may be done with a run that is there already. */
    public enum Existing {
        /** Nothing: the folder must be new or empty. */
        REFUSE,
        /** It goes on. */
        RESUME,
        /** It is replaced. */
        OVERWRITE
    }

    /**
     * Takes the folder for one run, and makes it if need be.
     *
     * @return the lock, to be closed when the run ends
     * @throws InvalidInputException if another run has it; the message says which
     */
    public LockFile lock() throws IOException {
        make();
        return LockFile.take(path.toRealPath().resolve(LOCK), "the folder " + path + " is in use by another run");
    }

    /**
     * Makes the folder and sees that it can be written.
     *
     * @param existing what may be done with a run that is there
     * @throws InvalidInputException if something is in the way
     * @throws IOException if the folder cannot be made or written
     */
    public void create(Existing existing) throws IOException {
        make();
        if (existing == Existing.REFUSE && !isEmpty()) {
            throw new InvalidInputException(
                    path + " is not empty; name another folder with --out, go on with --resume or"
                            + " replace it with --overwrite");
        }
        Optional<String> stranger = existing == Existing.OVERWRITE ? strangers().findFirst() : Optional.empty();
        if (stranger.isPresent()) {
            throw new InvalidInputException(path + " holds `" + stranger.get()
                    + "`, which no run wrote, so --overwrite leaves the folder alone; name another one with --out");
        }
        Destination.folder(adapter()); // refused now, and not after hours of training
        DurableFiles.removeLeftoversIn(path);
        FolderManifest.write(path, FILES);
    }

    private void make() throws IOException {
        for (Path part = path.toAbsolutePath(); part != null; part = part.getParent()) {
            if (Files.exists(part) && !Files.isDirectory(part)) {
                throw new InvalidInputException(part + " is a file, so " + path
                        + " cannot be the folder of the results; name another one with --out");
            }
        }
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new InvalidInputException(
                    "the folder " + path + " cannot be made"
                            + (e instanceof AccessDeniedException ? ": no permission to write there" : "")
                            + "; name another one with --out",
                    e);
        }
    }

    /** Returns the folder of the adapter. */
    public Path adapter() {
        return path.resolve("adapter");
    }

    /** Returns the folder of the adapters of evaluations. */
    public Path adapters() {
        return path.resolve(KeptAdapters.FOLDER);
    }

    /** Returns the file with the numbers of an analysis. */
    public Path analysis() {
        return path.resolve("analysis.csv");
    }

    /** Returns the file of a model that was trained whole. */
    public Path model() {
        return path.resolve("model.onnx");
    }

    /** Returns the folder of the checkpoints. */
    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** Returns the file with a line per update. */
    public Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    /** Returns the file with the options, from which the run can be done again. */
    public Path options() {
        return path.resolve("run.yaml");
    }

    /** Returns the file with the figures. */
    public Path summary() {
        return path.resolve("summary.json");
    }

    /** Returns the page for people. */
    public Path report() {
        return path.resolve("report.html");
    }

    private boolean isEmpty() throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.allMatch(file -> file.endsWith(LOCK) || file.endsWith(FolderManifest.NAME));
        }
    }

    private Stream<String> strangers() throws IOException {
        return FolderManifest.strangersAtTop(path).stream()
                .filter(name -> !name.equals(LOCK) && !DurableFiles.isTemporary(path.resolve(name)));
    }
}
