package dev.samediff.tuning.journal;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.tuning.TrialResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The ended trials of a sweep, a line of JSON each, in the order in which they ended: the source of truth of the sweep.
 *
 * <p>A line is on the disk (fsync) before anybody hears of its trial. A line that a killed process left incomplete is cut off
 * when the journal is opened again. One sweep at a time has it open ({@link LockFile}). Not thread-safe.
 */
public final class Journal implements AutoCloseable {
    private static final long MOST_BYTES = 1L << 30;

    private final Path file;
    private final LockFile lock;
    private final FileChannel channel;
    private final Map<Integer, TrialResult> trials;

    private Journal(Path file, LockFile lock, FileChannel channel, Map<Integer, TrialResult> trials) {
        this.file = file;
        this.lock = lock;
        this.channel = channel;
        this.trials = trials;
    }

    /**
     * Opens a journal, an empty one if there is none.
     *
     * @throws InvalidInputException if another process has it open, or a line is no trial that is more than the last one cut off
     * @throws UncheckedIOException if the file cannot be read or written
     */
    public static Journal open(Path file) {
        try {
            Path parent = Objects.requireNonNull(file.toAbsolutePath().getParent(), "folder");
            Files.createDirectories(parent);
            LockFile lock = LockFile.take(
                    parent.toRealPath().resolve("." + file.getFileName() + ".lock"),
                    "the journal " + file + " is in use by another sweep");
            try {
                return locked(file, lock);
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the journal " + file + " cannot be opened: " + e.getMessage(), e);
        }
    }

    private static Journal locked(Path file, LockFile lock) throws IOException {
        if (Files.exists(file)) {
            GivenFile.require(file, "a journal");
        }
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            return new Journal(file, lock, channel, load(channel, file));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static Map<Integer, TrialResult> load(FileChannel channel, Path file) throws IOException {
        if (channel.size() > MOST_BYTES) {
            throw new InvalidInputException(
                    "the journal " + file + " has " + channel.size() + " bytes; expected at most " + MOST_BYTES);
        }
        byte[] bytes = Files.readAllBytes(file);
        Map<Integer, TrialResult> trials = new TreeMap<>();
        Map<Integer, Integer> lines = new HashMap<>();
        int start = 0;
        for (int line = 1; start < bytes.length; line++) {
            int end = start;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            byte[] text = Arrays.copyOfRange(bytes, start, end);
            if (end >= bytes.length - 1 && (end == bytes.length || !JournalLine.isObject(text))) {
                break; // what a killed process or a power cut leaves at the end
            }
            try {
                TrialResult trial = TrialJson.parse(JournalLine.text(text));
                Integer before = lines.put(trial.index(), line);
                if (before != null) {
                    throw new InvalidInputException("line " + before + " has the trial " + trial.index() + " already");
                }
                trials.put(trial.index(), trial);
            } catch (InvalidInputException e) {
                throw new InvalidInputException("line " + line + " of the journal " + file + " is no trial ("
                        + e.getMessage() + "); only the last line may be cut off. Restore the file, or delete this"
                        + " line: its trial is then run again");
            }
            start = end + 1;
        }
        channel.truncate(start);
        channel.position(start);
        return trials;
    }

    /** Returns the file. */
    public Path file() {
        return file;
    }

    /** Returns the trials by index. */
    public Map<Integer, TrialResult> trials() {
        return Collections.unmodifiableMap(trials);
    }

    /**
     * Adds a trial; it is on the disk when this returns.
     *
     * @throws UncheckedIOException if it cannot be written
     */
    public void append(TrialResult trial) {
        ByteBuffer line = ByteBuffer.wrap((TrialJson.line(trial) + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (line.hasRemaining()) {
                channel.write(line);
            }
            channel.force(true);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the journal " + file + " cannot be written (" + e.getMessage()
                            + "); what it holds is kept: free space, then go on with --resume",
                    e);
        }
        trials.put(trial.index(), trial);
    }

    @Override
    public void close() {
        try (lock) {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
