package dev.samediff.adapters.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;

/**
 * A file that is being written beside its target and takes the target's name when it is complete. Holds the lock of the target from
 * {@link #open} to {@link #close}, so writers of one target take turns.
 */
public final class PendingFile implements AutoCloseable {
    /** How long one waits for another writer: whoever writes for longer may be stopped, and a person has to decide. */
    static final Duration PATIENCE = Duration.ofMinutes(10);

    private final Path target;
    private final LockFile lock;
    private final PreviousMode previous;
    private final Path temporary;
    private boolean committed;

    private PendingFile(Path target, LockFile lock, PreviousMode previous) {
        this.target = target;
        this.lock = lock;
        this.previous = previous;
        this.temporary = TemporaryName.beside(target, TemporaryName.WRITING);
    }

    /** Is told of a file that a dead writer of the same target left, just before it is removed. */
    @FunctionalInterface
    public interface Leftover {
        /** Looks at the file. */
        void found(Path target, Path leftover) throws IOException;
    }

    /**
     * Waits for other writers, removes what dead ones left, and makes an empty file under a name of its own; missing parent folders
     * are made.
     *
     * @param given the target; a symbolic link is followed
     * @param leftovers is told of leftovers, if this writer can know that they are
     * @throws dev.samediff.adapters.InvalidInputException if what is there must not be replaced, see {@link Destination#file}
     * @throws IOException if no file can be made there
     */
    public static PendingFile open(Path given, Leftover leftovers) throws IOException {
        Path target = Destination.file(given).path();
        Files.createDirectories(DurableFiles.parentOf(target));
        LockFile lock = LockFile.acquire(TemporaryName.lock(target), PATIENCE);
        try {
            Destination.file(target); // somebody may have put something else there meanwhile
            if (lock.isExclusive()) {
                for (Path leftover : TemporaryName.of(target, TemporaryName.WRITING)) {
                    leftovers.found(target, leftover);
                    Tree.discard(leftover);
                }
            }
            PendingFile pending = new PendingFile(target, lock, PreviousMode.of(target));
            pending.create();
            return pending;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private void create() throws IOException {
        FileChannel.open(
                        temporary,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                        previous.whileWriting())
                .close();
    }

    /** Returns where the target really lies. */
    public Path target() {
        return target;
    }

    /** Returns the unfinished file, for writers that open files themselves; {@link #commit} forces it to the disk. */
    public Path temporary() {
        return temporary;
    }

    /** Writes the whole content. */
    public void write(DurableFiles.Writer writer) throws IOException {
        try (FileChannel channel = FileChannel.open(
                temporary,
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING, LinkOption.NOFOLLOW_LINKS))) {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            writer.write(out);
            out.flush();
        }
    }

    /** Forces the content to the disk, so that {@link #commit} is only a rename. */
    public void sync() throws IOException {
        Tree.syncFile(temporary);
    }

    /**
     * Gives the file the target's name, and the owner and mode of what was there.
     *
     * @throws IOException if that fails; what was there is as it was
     */
    public void commit() throws IOException {
        previous.giveTo(temporary);
        sync();
        if (!Destination.file(target).path().equals(target)) {
            throw new IOException(target + " became a symbolic link while it was written");
        }
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        committed = true;
        Tree.syncFolder(DurableFiles.parentOf(target));
    }

    /** Removes the file unless it took its place, and lets others write. */
    @Override
    public void close() {
        if (!committed) {
            Tree.discard(temporary);
        }
        lock.close();
    }
}
