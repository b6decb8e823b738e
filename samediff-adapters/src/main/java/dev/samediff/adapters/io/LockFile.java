package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that one thread of one process on one machine holds at a time, other PID namespaces included: the operating system's
 * file lock, and a lock among the threads of this process. The system frees it when its holder dies, however it dies.
 *
 * <p>The file says who holds it, and is deleted when it is given back. A file system without locks is worked on without: threads of
 * this process exclude each other, {@link #isExclusive} is false.
 */
public final class LockFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LockFile.class);
    private static final int LONGEST_PAUSE_MILLIS = 50;
    private static final Duration SILENCE = Duration.ofSeconds(3);
    private static final int LONGEST_NOTE = 8192;
    private static final Random PADDING = new SecureRandom();

    /** Lock files that this process holds or waits for. A held one must not be opened again: closing it would free the lock. */
    private static final Map<Path, Gate> GATES = new HashMap<>();

    private final Path file;
    private final Gate gate;
    private final @Nullable FileChannel channel;

    /** One lock file among the threads of this process. */
    private static final class Gate {
        private int users;
        private @Nullable Thread holder;
        private String owner = "";
    }

    private LockFile(Path file, Gate gate, @Nullable FileChannel channel) {
        this.file = file;
        this.gate = gate;
        this.channel = channel;
    }

    /** Someone else holds a lock. */
    static final class Held extends IOException {
        private static final long serialVersionUID = 1L;

        Held(Path file, String owner) {
            super("it is being written by " + owner + ", which holds " + file);
        }
    }

    /**
     * Takes a lock, or refuses at once.
     *
     * @param file the lock file, in a folder that exists
     * @param busy begins the refusal, such as {@code the folder x is in use}
     * @throws InvalidInputException if it is held; the message says by whom
     * @throws IOException if the file cannot be made
     */
    public static LockFile take(Path file, String busy) throws IOException {
        try {
            return acquire(file, Duration.ZERO);
        } catch (Held e) {
            String message = String.valueOf(e.getMessage());
            throw new InvalidInputException(
                    busy + " (" + message + "); wait for it, or name another place with --out", e);
        }
    }

    /** Takes a lock if it is free. */
    static Optional<LockFile> tryAcquire(Path file) throws IOException {
        try {
            return Optional.of(acquire(file, Duration.ZERO));
        } catch (Held e) {
            return Optional.empty();
        }
    }

    /**
     * Waits for a lock.
     *
     * @throws Held if it is not free within that time
     */
    static LockFile acquire(Path file, Duration patience) throws IOException {
        Duration silent = patience.compareTo(SILENCE) < 0 ? patience : SILENCE;
        try {
            return within(file, silent);
        } catch (Held e) {
            if (silent.equals(patience)) {
                throw e;
            }
            LOG.warn("waiting up to {} minutes: {}", patience.toMinutes(), e.getMessage());
            return within(file, patience.minus(silent));
        }
    }

    private static LockFile within(Path file, Duration patience) throws IOException {
        Path key = file.toAbsolutePath();
        long deadline = System.nanoTime() + patience.toNanos();
        Gate gate = enter(key, deadline);
        try {
            FileChannel channel = lock(key, deadline);
            gate.owner = Owner.now();
            return new LockFile(key, gate, channel);
        } catch (IOException | RuntimeException e) {
            leave(key, gate);
            throw e;
        }
    }

    private static Gate enter(Path key, long deadline) throws IOException {
        synchronized (GATES) {
            Gate gate = GATES.computeIfAbsent(key, path -> new Gate());
            if (gate.holder == Thread.currentThread()) {
                if (deadline - System.nanoTime() <= 0) { // who does not wait cannot wait for itself
                    throw new Held(key, gate.owner);
                }
                throw new IllegalStateException(
                        key + " is held by this thread already: a writer must not write its own target");
            }
            gate.users++;
            while (gate.holder != null) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                try {
                    if (left <= 0) {
                        throw new Held(key, gate.owner);
                    }
                    GATES.wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    forget(key, gate);
                    throw new IOException("interrupted while waiting for " + key, e);
                } catch (Held e) {
                    forget(key, gate);
                    throw e;
                }
            }
            gate.holder = Thread.currentThread();
            gate.owner = "this process";
            return gate;
        }
    }

    private static void leave(Path key, Gate gate) {
        synchronized (GATES) {
            gate.holder = null;
            forget(key, gate);
            GATES.notifyAll();
        }
    }

    private static void forget(Path key, Gate gate) {
        gate.users--;
        if (gate.users == 0) {
            GATES.remove(key);
        }
    }

    /** The locked channel; none where files cannot be locked. */
    private static @Nullable FileChannel lock(Path file, long deadline) throws IOException {
        for (int pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
            Attempt attempt = attempt(file);
            if (attempt.channel() != null || !attempt.possible()) {
                return attempt.channel();
            }
            if (System.nanoTime() >= deadline && !attempt.owner().isEmpty()) {
                throw new Held(file, attempt.owner());
            }
            try {
                Thread.sleep(attempt.owner().isEmpty() ? 0 : pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for " + file, e);
            }
        }
    }

    /** One look at the lock: got, impossible, held by somebody, or (owner empty) the file was just given back: look again. */
    private record Attempt(@Nullable FileChannel channel, boolean possible, String owner) {}

    private static Attempt attempt(Path file) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(
                    file,
                    Set.of(
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            LinkOption.NOFOLLOW_LINKS));
        } catch (AccessDeniedException e) {
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) { // left by another user
                LOG.debug("{} cannot be opened, so it is not locked: {}", file, e.getMessage());
                return new Attempt(null, false, "");
            }
            throw e;
        }
        boolean keep = false;
        try {
            Object key = key(file);
            if (channel.tryLock() == null) {
                return new Attempt(null, true, note(channel));
            }
            long size = stamp(channel);
            keep = isStill(file, key, size);
            return new Attempt(keep ? channel : null, true, "");
        } catch (OverlappingFileLockException e) {
            return new Attempt(null, true, "this process, by another path");
        } catch (IOException e) {
            LOG.debug("{} cannot be locked on this file system: {}", file, e.getMessage());
            Files.deleteIfExists(file);
            return new Attempt(null, false, "");
        } finally {
            if (!keep) {
                channel.close();
            }
        }
    }

    private static @Nullable Object key(Path file) throws IOException {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Writes who holds the lock, in a length that no one else is likely to have. */
    private static long stamp(FileChannel channel) throws IOException {
        String note = Owner.now() + "\n" + " ".repeat(PADDING.nextInt(LONGEST_NOTE / 2)) + "\n";
        try {
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(note.getBytes(StandardCharsets.UTF_8)), 0);
        } catch (IOException e) {
            LOG.debug(
                    "nobody can read who holds a lock: {}", e.getMessage()); // a full disk; the lock holds nevertheless
        }
        return channel.size();
    }

    /** Whether the locked file is the one of that name, and not one that its last holder deleted meanwhile. */
    private static boolean isStill(Path file, @Nullable Object key, long size) throws IOException {
        try {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return now.isRegularFile() && now.size() == size && Objects.equals(key, now.fileKey());
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static String note(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(LONGEST_NOTE);
        channel.read(bytes, 0);
        String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
        String first = text.lines().findFirst().orElse("").strip();
        return first.isEmpty() ? "another process" : first;
    }

    /**
     * Returns whether a file is a lock file by what is in it, and nobody in this process holds it or waits for it. Whether another
     * process does, only {@link #tryAcquire} tells.
     */
    static boolean isNoted(Path file) throws IOException {
        synchronized (GATES) { // reading a file that this process holds would free it
            if (GATES.containsKey(file.toAbsolutePath())) {
                return false;
            }
            try (FileChannel channel =
                    FileChannel.open(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
                return Owner.isNote(note(channel));
            } catch (NoSuchFileException e) {
                return false;
            }
        }
    }

    /** Returns whether no other process can hold it too; false on file systems without locks. */
    boolean isExclusive() {
        return channel != null;
    }

    /** Gives the lock back. */
    @Override
    public void close() {
        try {
            if (channel != null) {
                Files.deleteIfExists(file); // before it is free: see isStill
                channel.close();
            }
        } catch (IOException e) {
            LOG.debug("{} stays behind, free: {}", file, e.getMessage());
            closeQuietly();
        } finally {
            leave(file, gate);
        }
    }

    private void closeQuietly() {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            LOG.debug("{} cannot be closed: {}", file, e.getMessage());
        }
    }
}
