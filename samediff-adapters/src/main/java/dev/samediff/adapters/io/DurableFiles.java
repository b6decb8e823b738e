package dev.samediff.adapters.io;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Writes files and folders so that nothing is lost: the new content goes beside the target, is forced to the disk, and
 * then takes the target's name. A crash, a full disk or a kill -9 at any moment leaves the previous version or the new
 * one, never a mixture. Several threads may write one target: the last one to end wins.
 */
public final class DurableFiles {
    private static final String TEMPORARY = ".writing-";
    private static final String REPLACED = ".replaced-";
    private static final AtomicLong COUNT = new AtomicLong();
    /** Temporary files and folders that this process is writing. */
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();
    /** Held while a folder has no name, between two renames. */
    private static final Map<Path, ReentrantLock> RENAMING = new ConcurrentHashMap<>();

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
     * @throws IOException if it cannot be written, with a sentence that names the file; a previous version is untouched
     */
    public static void write(Path target, Writer writer) throws IOException {
        Path absolute = target.toAbsolutePath().normalize();
        Path parent = parentOf(absolute);
        Path temporary = sibling(absolute, TEMPORARY);
        try {
            Files.createDirectories(parent);
            try (FileOutputStream file = new FileOutputStream(temporary.toFile())) {
                OutputStream out = new BufferedOutputStream(file, 1 << 16);
                writer.write(out);
                out.flush();
                file.getFD().sync();
            }
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncFolder(parent);
        } catch (IOException e) {
            throw failure(target, e);
        } finally {
            discard(temporary);
        }
    }

    /** Writes text in UTF-8, as {@link #write}. */
    public static void writeText(Path target, String text) throws IOException {
        write(target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * Writes a folder as a whole; a folder of that name is replaced.
     *
     * <p>The new folder is complete and on the disk before the old one is renamed away; between two renames (microseconds)
     * the target's name does not exist, and {@link #recoverFolder} brings the old one back after a crash just there.
     *
     * @throws IOException if it cannot be written, with a sentence that names the folder; a previous version is untouched
     */
    public static void writeFolder(Path target, FolderWriter writer) throws IOException {
        Path absolute = target.toAbsolutePath().normalize();
        Path parent = parentOf(absolute);
        Path temporary = sibling(absolute, TEMPORARY);
        Path replaced = sibling(absolute, REPLACED);
        try {
            Files.createDirectories(parent);
            recoverFolder(absolute);
            Files.createDirectory(temporary);
            writer.write(temporary);
            syncTree(temporary);
            exchange(temporary, absolute, replaced);
            syncFolder(parent);
        } catch (IOException e) {
            throw failure(target, e);
        } finally {
            discard(temporary);
            discard(replaced);
        }
    }

    /** Gives a new folder the name of an old one, which gets another. */
    private static void exchange(Path temporary, Path absolute, Path replaced) throws IOException {
        ReentrantLock lock = renaming(absolute);
        lock.lock();
        try {
            if (Files.exists(absolute)) {
                Files.move(absolute, replaced, StandardCopyOption.ATOMIC_MOVE);
            }
            try {
                Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                if (Files.exists(replaced) && !Files.exists(absolute)) {
                    Files.move(replaced, absolute, StandardCopyOption.ATOMIC_MOVE);
                }
                throw e;
            }
        } finally {
            lock.unlock();
        }
    }

    private static ReentrantLock renaming(Path absolute) {
        return RENAMING.computeIfAbsent(absolute, path -> new ReentrantLock());
    }

    /** Removes what is no longer needed; a failure here must not hide the result or the first failure. */
    private static void discard(Path leftover) {
        try {
            deleteTree(leftover);
        } catch (IOException ignored) {
            // The next writer of the same target removes it: see recoverFolder.
        } finally {
            OPEN.remove(leftover);
        }
    }

    /**
     * Brings a folder back whose replacement was cut off between two renames, and removes what cut-off writers left.
     *
     * @return whether the folder exists now
     */
    public static boolean recoverFolder(Path target) throws IOException {
        Path absolute = target.toAbsolutePath().normalize();
        Path parent = parentOf(absolute);
        if (!Files.isDirectory(parent)) {
            return false;
        }
        ReentrantLock lock = renaming(absolute);
        lock.lock();
        try {
            recover(absolute, parent);
            return Files.isDirectory(absolute);
        } finally {
            lock.unlock();
        }
    }

    private static void recover(Path absolute, Path parent) throws IOException {
        try (Stream<Path> siblings = Files.list(parent)) {
            for (Path sibling : siblings.toList()) {
                String name = sibling.getFileName().toString();
                if (OPEN.contains(sibling)) {
                    continue;
                }
                if (name.startsWith("." + absolute.getFileName() + REPLACED) && isStale(name)) {
                    if (Files.exists(absolute)) {
                        deleteTree(sibling);
                    } else {
                        Files.move(sibling, absolute, StandardCopyOption.ATOMIC_MOVE);
                    }
                } else if (name.startsWith("." + absolute.getFileName() + TEMPORARY) && isStale(name)) {
                    deleteTree(sibling);
                }
            }
        }
    }

    /** Deletes a file or a folder with everything in it; does nothing if there is none. */
    public static void deleteTree(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(path)) {
            for (Path each : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    private static Path parentOf(Path absolute) throws IOException {
        Path parent = absolute.getParent();
        if (parent == null || absolute.getFileName() == null) {
            throw new IOException(
                    "cannot write " + absolute + ": it is the root of a file system; name a file in a folder");
        }
        return parent;
    }

    private static Path sibling(Path absolute, String mark) {
        Path sibling = absolute.resolveSibling("." + absolute.getFileName() + mark + COUNT.incrementAndGet() + "-"
                + ProcessHandle.current().pid());
        OPEN.add(sibling);
        return sibling;
    }

    /** Whether the process that made this temporary name is gone, or is this one, which knows that it does not write it. */
    private static boolean isStale(String name) {
        try {
            long pid = Long.parseLong(name.substring(name.lastIndexOf('-') + 1));
            return pid == ProcessHandle.current().pid()
                    || ProcessHandle.of(pid).map(p -> !p.isAlive()).orElse(true);
        } catch (NumberFormatException notOurs) {
            return false;
        }
    }

    private static void syncTree(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path each : tree.toList()) {
                if (Files.isRegularFile(each)) {
                    try (FileChannel channel = FileChannel.open(each, StandardOpenOption.WRITE)) {
                        channel.force(true);
                    }
                } else {
                    syncFolder(each);
                }
            }
        }
    }

    /** Forces a folder's entries to the disk; Windows has no such call and needs none. */
    private static void syncFolder(Path folder) throws IOException {
        if (java.io.File.separatorChar == '/') {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private static IOException failure(Path target, IOException cause) {
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
        }
        return new IOException(
                "cannot write " + target + " (" + reason + "); what was there before is untouched; " + advice, cause);
    }
}
