package dev.samediff.adapters.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Writes files and folders so that nothing is lost: the new content goes beside the target, is forced to the disk, and
 * then takes the target's name. A crash, a full disk or a kill -9 at any moment leaves the previous version or the new
 * one, never a mixture. Writers of one target, be they threads, processes or containers, take turns ({@link LockFile}): the last
 * one to end wins, and each removes what dead ones left. What may be replaced is {@link Destination}'s to say.
 */
public final class DurableFiles {
    private DurableFiles() {}

    /** Something that writes to a stream and may fail. */
    @FunctionalInterface
    public interface Writer {
        /** Writes the whole content; the stream is buffered and closed by the caller. */
        void write(OutputStream out) throws IOException;
    }

    /** Something that fills a folder with files and may fail. */
    @FunctionalInterface
    public interface FolderWriter {
        /** Writes the files into an empty, existing folder. */
        void write(Path folder) throws IOException;
    }

    /**
     * Writes one file; missing parent folders are made.
     *
     * @throws dev.samediff.adapters.InvalidInputException if what is there must not be replaced, see {@link Destination#file}
     * @throws IOException if it cannot be written, with a sentence that names the file; a previous version is untouched
     */
    public static void write(Path target, Writer writer) throws IOException {
        try (PendingFile pending = PendingFile.open(target, (path, leftover) -> {})) {
            pending.write(writer);
            pending.commit();
        } catch (IOException e) {
            throw failure(target, e);
        }
    }

    /** Writes text in UTF-8, as {@link #write}. */
    public static void writeText(Path target, String text) throws IOException {
        write(target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * Writes a folder as a whole, with a list of its files ({@link FolderManifest}); a folder of that name is replaced if all that
     * is in it is on its list.
     *
     * @throws dev.samediff.adapters.InvalidInputException if what is there must not be replaced, see {@link Destination#folder}
     * @throws IOException if it cannot be written, with a sentence that names the folder; a previous version is untouched
     */
    public static void writeFolder(Path given, FolderWriter writer) throws IOException {
        writeFolder(given, "", writer);
    }

    /**
     * As {@link #writeFolder(Path, FolderWriter)}, for a folder that may only replace one that holds the same.
     *
     * @param kind what it holds, such as {@code model}; empty for adapters and checkpoints
     */
    public static void writeFolder(Path given, String kind, FolderWriter writer) throws IOException {
        try {
            Path target = Destination.placeOfFolder(given).path();
            Files.createDirectories(parentOf(target));
            try (LockFile lock = LockFile.acquire(TemporaryName.lock(target), PendingFile.PATIENCE)) {
                if (lock.isExclusive()) {
                    removeLeftovers(target);
                }
                Destination.folder(given, kind);
                replace(target, kind, writer);
            }
        } catch (IOException e) {
            throw failure(given, e);
        }
    }

    private static void replace(Path target, String kind, FolderWriter writer) throws IOException {
        PreviousMode previous = PreviousMode.of(target);
        Path temporary = TemporaryName.beside(target, TemporaryName.WRITING);
        Files.createDirectory(temporary);
        try {
            writer.write(temporary);
            FolderManifest.write(temporary, kind);
            previous.giveTo(temporary);
            Tree.sync(temporary);
            Destination.folder(target, kind); // a person may have put something there meanwhile
            Optional<Path> old = FolderExchange.put(temporary, target);
            Tree.syncFolder(parentOf(target));
            old.ifPresent(Tree::discard);
        } finally {
            Tree.discard(temporary);
        }
    }

    private static void removeLeftovers(Path target) throws IOException {
        FolderExchange.recover(target);
        for (Path leftover : TemporaryName.of(target, TemporaryName.WRITING)) {
            Tree.discard(leftover);
        }
    }

    /**
     * Removes what dead writers left of any target in a folder; what is being written, and what was not ours, stays.
     *
     * @throws IOException if the folder cannot be read
     */
    public static void removeLeftoversIn(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        for (String name : targetsOfLeftovers(folder.toRealPath())) {
            Path target = folder.toRealPath().resolve(name);
            Optional<LockFile> lock = LockFile.tryAcquire(TemporaryName.lock(target));
            if (lock.isPresent()) {
                try (LockFile held = lock.get()) {
                    if (held.isExclusive()) {
                        removeLeftovers(target);
                    }
                }
            }
        }
    }

    /** Targets of temporary names, and of lock files that this process does not hold: a target may never be written again. */
    private static Set<String> targetsOfLeftovers(Path folder) throws IOException {
        Set<String> targets = new HashSet<>();
        List<Path> locks = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            entries.forEach(entry -> {
                TemporaryName.target(entry).ifPresent(targets::add);
                TemporaryName.locked(entry)
                        .filter(name -> Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS))
                        .ifPresent(name -> locks.add(entry));
            });
        }
        for (Path lock : locks) {
            if (LockFile.isNoted(lock)) {
                TemporaryName.locked(lock).ifPresent(targets::add);
            }
        }
        targets.removeIf(TemporaryName::isShortened); // the writer of such a target knows its whole name
        return targets;
    }

    /**
     * Removes a folder that we wrote, in one step for those who look: it loses its name first.
     *
     * @return whether it was removed; not if it is a symbolic link, or holds anything that is not on its list ({@link FolderManifest})
     * @throws IOException if it cannot be removed
     */
    public static boolean removeFolder(Path folder) throws IOException {
        Path target = parentOf(folder.toAbsolutePath()).toRealPath().resolve(String.valueOf(folder.getFileName()));
        try (LockFile lock = LockFile.acquire(TemporaryName.lock(target), PendingFile.PATIENCE)) {
            if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)
                    || FolderManifest.stranger(target).isPresent()
                    || !FolderManifest.isIn(target)) {
                return false;
            }
            Path nameless = TemporaryName.beside(target, TemporaryName.WRITING);
            Files.move(target, nameless, StandardCopyOption.ATOMIC_MOVE);
            Tree.delete(nameless);
            return true;
        }
    }

    /** Returns whether a name is one under which something is written, or was when a writer died. */
    public static boolean isTemporary(Path path) {
        return TemporaryName.target(path).isPresent();
    }

    /** Deletes a file or a folder with everything in it, links as such; does nothing if there is none. */
    public static void deleteTree(Path path) throws IOException {
        Tree.delete(path);
    }

    static Path parentOf(Path path) throws IOException {
        Path parent = path.getParent();
        if (parent == null) {
            throw new IOException(path + " has no parent folder; name a file or folder in one");
        }
        return parent;
    }

    /** Returns the sentence about something that could not be written, and why. */
    public static IOException failure(Path target, IOException cause) {
        String advice = "check that the folder exists and may be written, or name another place";
        Throwable first = cause; // a file inside a folder has already said its own sentence; the reason is below it
        while (first.getCause() instanceof IOException) {
            first = first.getCause();
        }
        String reason = String.valueOf(first.getMessage());
        if (reason.contains("No space left") || reason.contains("quota")) {
            advice = "free space or name another place";
        } else if (first instanceof FileAlreadyExistsException) {
            advice = "a file stands where a folder is needed; name another place";
        } else if (first instanceof LockFile.Held) {
            advice = "wait for it, or end it";
        } else if (first instanceof java.nio.file.AccessDeniedException) {
            reason = "no permission: " + reason;
        }
        return new IOException(
                "cannot write " + target + " (" + reason + "); what was there before is untouched; " + advice, cause);
    }
}
