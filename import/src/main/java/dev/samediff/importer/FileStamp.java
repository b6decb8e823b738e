package dev.samediff.importer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;

/** Size and date of a file, by which a change is noticed. */
record FileStamp(long size, FileTime modified) {
    /** Reads them; those of a file that is not there are zero. */
    static FileStamp of(Path file) {
        try {
            return new FileStamp(Files.size(file), Files.getLastModifiedTime(file));
        } catch (IOException e) {
            return new FileStamp(0, FileTime.fromMillis(0));
        }
    }
}
