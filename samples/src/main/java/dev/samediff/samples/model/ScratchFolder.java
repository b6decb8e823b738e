package dev.samediff.samples.model;

import dev.samediff.adapters.io.DurableFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Temporary folders that leave nothing behind: each holds a file that its process keeps locked, and whoever makes one removes those
 * of the same user whose lock is free. So a killed process costs its folder until the next one comes, and a living one, in whatever
 * container, keeps it.
 */
final class ScratchFolder {
    private static final Logger LOG = LoggerFactory.getLogger(ScratchFolder.class);
    private static final String LOCK = "in-use.lock";

    /** A folder without a lock file is being made just now, unless it is older. */
    private static final Duration MAKING = Duration.ofHours(1);

    /** By folder, held until the process ends; their files must not be opened again: closing them would free the locks. */
    private static final Map<Path, FileLock> HELD = new HashMap<>();

    private ScratchFolder() {}

    /** Makes a folder that is deleted with this process; files in it are to be deleted on exit by who makes them. */
    static synchronized Path make(Path parent, String prefix) throws IOException {
        Path folder = Files.createTempDirectory(parent, prefix);
        folder.toFile().deleteOnExit();
        removeDead(parent, prefix, folder);
        Path lock = folder.resolve(LOCK);
        lock.toFile().deleteOnExit();
        HELD.put(
                folder.toRealPath(),
                FileChannel.open(lock, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)
                        .lock());
        return folder;
    }

    private static void removeDead(Path parent, String prefix, Path mine) throws IOException {
        Object owner = Files.getOwner(mine, LinkOption.NOFOLLOW_LINKS);
        List<Path> folders;
        try (Stream<Path> entries = Files.list(parent)) {
            folders = entries.filter(entry ->
                            String.valueOf(entry.getFileName()).matches(prefix + "\\d+") && !entry.equals(mine))
                    .toList();
        }
        for (Path folder : folders) {
            try {
                if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                        && Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(owner)
                        && isDead(folder)) {
                    DurableFiles.deleteTree(folder);
                }
            } catch (IOException e) {
                LOG.debug("{} stays: {}", folder, e.getMessage());
            }
        }
    }

    private static boolean isDead(Path folder) throws IOException {
        Path lock = folder.resolve(LOCK);
        if (!Files.isRegularFile(lock, LinkOption.NOFOLLOW_LINKS)) {
            return Files.getLastModifiedTime(folder)
                    .toInstant()
                    .isBefore(Instant.now().minus(MAKING));
        }
        if (HELD.containsKey(folder.toRealPath())) {
            return false;
        }
        try (FileChannel channel =
                FileChannel.open(lock, Set.of(StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS))) {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }
}
