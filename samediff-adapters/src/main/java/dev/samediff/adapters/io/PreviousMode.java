package dev.samediff.adapters.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Owner, group and mode of what is replaced, which what replaces it gets. */
record PreviousMode(Optional<PosixFileAttributes> attributes) {
    private static final Set<PosixFilePermission> PRIVATE =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    private static final FileAttribute<?>[] DEFAULT = {};

    /** Of a file or folder that may be there. */
    static PreviousMode of(Path path) throws IOException {
        PosixFileAttributeView view =
                Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        return view != null && Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                ? new PreviousMode(Optional.of(view.readAttributes()))
                : new PreviousMode(Optional.empty());
    }

    /** What a new file is made with: nobody else reads it until it has its mode. */
    FileAttribute<?>[] whileWriting() {
        return attributes.isEmpty() ? DEFAULT : new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PRIVATE)};
    }

    /** Gives a file or folder this mode, and owner and group as far as this user may. */
    void giveTo(Path path) throws IOException {
        if (attributes.isEmpty()) {
            return;
        }
        PosixFileAttributes before = attributes.get();
        PosixFileAttributeView view =
                Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        PosixFileAttributes now = view.readAttributes();
        try {
            if (!before.owner().equals(now.owner())) {
                view.setOwner(before.owner());
            }
            if (!before.group().equals(now.group())) {
                view.setGroup(before.group());
            }
        } catch (IOException notAllowed) {
            // Only root gives files away; the mode is what protects them.
        }
        Files.setPosixFilePermissions(path, before.permissions());
    }
}
