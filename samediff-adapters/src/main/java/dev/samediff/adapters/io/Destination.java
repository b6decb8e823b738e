package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * A place where something will be written, and the only judge of what may be replaced there: nothing, a regular file, or a
 * folder that a manifest says we wrote ({@link FolderManifest}). A symbolic link is followed: what it points to is replaced, the
 * link stays. Folders for files and files for folders, devices, pipes and sockets are refused.
 *
 * @param path where it really lies: absolute, its folder without links, itself no link
 * @param exists whether something is there that may be replaced
 */
public record Destination(Path path, boolean exists) {
    private static final int MOST_LINKS = 40;

    /**
     * Judges a place for a file; changes nothing.
     *
     * @throws InvalidInputException if what is there must not be replaced by a file
     * @throws IOException if it cannot be looked at
     */
    public static Destination file(Path given) throws IOException {
        Path path = resolved(given);
        Optional<BasicFileAttributes> found = attributes(path);
        if (found.isPresent() && !found.get().isRegularFile()) {
            throw refused(
                    given,
                    found.get().isDirectory() ? "a folder" : "a device, a pipe or a socket",
                    "only a regular file is replaced; name another file");
        }
        return new Destination(path, found.isPresent());
    }

    /**
     * Judges a place for a folder; changes nothing.
     *
     * @throws InvalidInputException if what is there must not be replaced by a folder
     * @throws IOException if it cannot be looked at
     */
    public static Destination folder(Path given) throws IOException {
        return folder(given, "");
    }

    /**
     * As {@link #folder(Path)}.
     *
     * @param kind what the new folder holds, see {@link DurableFiles#writeFolder(Path, String, DurableFiles.FolderWriter)}
     */
    static Destination folder(Path given, String kind) throws IOException {
        Destination place = placeOfFolder(given);
        Optional<String> stranger = place.exists() ? FolderManifest.stranger(place.path()) : Optional.empty();
        if (stranger.isPresent()) {
            throw new InvalidInputException("the folder " + given + " holds `" + stranger.get()
                    + "`, which was not written by this program, and would be replaced as a whole; name a new or empty"
                    + " folder, or move what is in it");
        }
        if (place.exists() && FolderManifest.isIn(place.path())) {
            String present = FolderManifest.kind(place.path());
            if (!present.equals(kind)) {
                throw new InvalidInputException("the folder " + given + " holds "
                        + (present.isEmpty() ? "an adapter or a checkpoint" : "a " + present)
                        + ", which would be lost if " + (kind.isEmpty() ? "an adapter or a checkpoint" : "a " + kind)
                        + " were written in its place; name a new or empty folder");
            }
        }
        return place;
    }

    /** Where a folder really lies, without a look into it: that needs its lock while others may be writing it. */
    static Destination placeOfFolder(Path given) throws IOException {
        Path path = resolved(given);
        Optional<BasicFileAttributes> found = attributes(path);
        if (found.isPresent() && !found.get().isDirectory()) {
            throw refused(
                    given,
                    found.get().isRegularFile() ? "a file" : "a device, a pipe or a socket",
                    "a folder is needed here; name another place");
        }
        return new Destination(path, found.isPresent());
    }

    private static InvalidInputException refused(Path given, String kind, String advice) {
        return new InvalidInputException(given + " is " + kind + "; " + advice);
    }

    /** Follows links; the last one need not point to anything. */
    private static Path resolved(Path given) throws IOException {
        Path path = located(given, given);
        for (int links = 0; Files.isSymbolicLink(path); links++) {
            if (links == MOST_LINKS) {
                throw new InvalidInputException(given + " is a symbolic link that leads back to itself; name a file");
            }
            path = located(path.resolveSibling(Files.readSymbolicLink(path)), given);
        }
        return path;
    }

    private static Path located(Path path, Path given) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path name = absolute.getFileName();
        if (name != null && (name.toString().equals(".") || name.toString().equals(".."))) {
            absolute = real(absolute);
            name = absolute.getFileName();
        }
        Path parent = absolute.getParent();
        if (parent == null || name == null) {
            throw new InvalidInputException(
                    given + " is the root of a file system and cannot be written; name a file or folder in it");
        }
        return real(parent).resolve(name);
    }

    /** The path without links, as far as it exists. */
    private static Path real(Path path) throws IOException {
        try {
            return path.toRealPath();
        } catch (NoSuchFileException e) {
            Path parent = path.getParent();
            Path name = path.getFileName();
            return parent == null || name == null
                    ? path
                    : real(parent).resolve(name).normalize();
        }
    }

    private static Optional<BasicFileAttributes> attributes(Path path) throws IOException {
        try {
            return Optional.of(Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }
}
