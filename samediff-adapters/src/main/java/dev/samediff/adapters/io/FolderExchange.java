package dev.samediff.adapters.io;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Puts a new folder in the place of an old one. On Linux both names change in one step (renameat2, RENAME_EXCHANGE), so the folder
 * is there at every moment. Elsewhere there are two renames, with a moment between them in which the name does not exist: readers
 * find the old folder under its other name ({@link #current}), the next writer gives it its name back ({@link #recover}).
 */
final class FolderExchange {
    private static final int AT_FDCWD = -100;
    private static final int RENAME_EXCHANGE = 2;
    private static final @Nullable Function RENAME = renameat2();

    /** Whether the one step is tried; tests of the two renames switch it off. */
    static volatile boolean atomic = true;

    private FolderExchange() {}

    private static @Nullable Function renameat2() {
        try {
            return Platform.isLinux() ? NativeLibrary.getInstance("c").getFunction("renameat2") : null;
        } catch (LinkageError e) { // an old or another C library
            return null;
        }
    }

    /**
     * Gives a new folder the name of an old one, if there is one.
     *
     * @return where the old one is now
     */
    static Optional<Path> put(Path fresh, Path target) throws IOException {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
            return Optional.empty();
        }
        if (exchanged(fresh, target)) {
            return Optional.of(fresh);
        }
        Path replaced = TemporaryName.beside(target, TemporaryName.REPLACED);
        Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
        try {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.move(replaced, target, StandardCopyOption.ATOMIC_MOVE);
            throw e;
        }
        return Optional.of(replaced);
    }

    private static boolean exchanged(Path fresh, Path target) {
        Function rename = RENAME;
        if (rename == null || !atomic) {
            return false;
        }
        return rename.invokeInt(new Object[] {AT_FDCWD, bytes(fresh), AT_FDCWD, bytes(target), RENAME_EXCHANGE}) == 0;
    }

    /** A path as C takes it, in the encoding that this JVM has for names of files. */
    private static byte[] bytes(Path path) {
        return (path + "\0").getBytes(Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
    }

    /** Returns where the folder of a target is now, if it is anywhere. Changes nothing. */
    static Optional<Path> current(Path target) throws IOException {
        if (Files.isDirectory(target)) {
            return Optional.of(target);
        }
        Path real = Files.isSymbolicLink(target) ? target.resolveSibling(Files.readSymbolicLink(target)) : target;
        List<Path> replaced = TemporaryName.of(real, TemporaryName.REPLACED);
        return replaced.size() == 1 ? Optional.of(replaced.get(0)) : Optional.empty();
    }

    /** Gives an old folder its name back after a crash between two renames; the lock of the target is held. */
    static void recover(Path target) throws IOException {
        for (Path replaced : TemporaryName.of(target, TemporaryName.REPLACED)) {
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                Tree.delete(replaced);
            } else {
                Files.move(replaced, target, StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }
}
