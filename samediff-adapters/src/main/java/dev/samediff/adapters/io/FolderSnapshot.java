package dev.samediff.adapters.io;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a folder whose files belong together while others may replace it. Nothing is written and nothing is locked: whoever reads
 * looks at the files' identities before and after, and reads again if they changed.
 */
final class FolderSnapshot {
    /** A writer needs milliseconds for a version; this many in a row mean that somebody writes without a pause. */
    private static final int ATTEMPTS = 200;

    /** Deeper, and more, is no adapter: somebody named a folder of everything. */
    private static final int DEPTH = 3;

    private static final int MOST_FILES = 2000;

    private FolderSnapshot() {}

    /** Something that reads a folder. */
    @FunctionalInterface
    interface Reader<T> {
        /** Reads the files in a folder. */
        T read(Path folder) throws IOException;
    }

    /**
     * Reads one version of a folder.
     *
     * @param folder the folder, which need not exist: the reader says so then
     * @throws IOException if reading fails, or it is replaced without a pause
     */
    static <T> T read(Path folder, Reader<T> reader) throws IOException {
        for (int attempt = 1; ; attempt++) {
            Path place = current(folder);
            List<String> before = identity(place);
            @Nullable T result = null;
            @Nullable IOException failed = null;
            @Nullable RuntimeException refused = null;
            try {
                result = reader.read(place);
            } catch (IOException e) {
                failed = e;
            } catch (RuntimeException e) {
                refused = e;
            }
            if (before.equals(identity(place)) && place.equals(current(folder))) {
                return settled(result, failed, refused);
            }
            if (attempt == ATTEMPTS) {
                throw new IOException("the folder " + folder + " is written again and again while it is read; wait"
                        + " until its writers are done");
            }
            pause(attempt);
        }
    }

    private static <T> T settled(@Nullable T result, @Nullable IOException failed, @Nullable RuntimeException refused)
            throws IOException {
        if (failed != null) {
            throw failed;
        }
        if (refused != null) {
            throw refused;
        }
        return java.util.Objects.requireNonNull(result);
    }

    private static Path current(Path folder) throws IOException {
        Optional<Path> found = FolderExchange.current(folder.toAbsolutePath());
        return found.isEmpty() || found.get().equals(folder.toAbsolutePath()) ? folder : found.get();
    }

    /** What changes when a file in a folder, or the folder, is replaced. */
    private static List<String> identity(Path folder) throws IOException {
        List<String> parts = new ArrayList<>();
        try {
            Files.walkFileTree(folder.toRealPath(), Set.of(), DEPTH, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
                    return add(path, attributes);
                }

                @Override
                public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
                    return add(path, attributes);
                }

                @Override
                public FileVisitResult visitFileFailed(Path path, IOException failure) {
                    return FileVisitResult.CONTINUE; // the reader says what it cannot read
                }

                private FileVisitResult add(Path path, BasicFileAttributes attributes) {
                    parts.add(path + " " + attributes.fileKey() + " " + attributes.size() + " "
                            + attributes.lastModifiedTime());
                    return parts.size() < MOST_FILES ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
                }
            });
        } catch (NoSuchFileException e) {
            parts.add("nothing");
        }
        return parts;
    }

    private static void pause(int attempt) throws IOException {
        try {
            Thread.sleep(Math.min(attempt, 10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while reading", e);
        }
    }
}
