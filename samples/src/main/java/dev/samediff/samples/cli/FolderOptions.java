package dev.samediff.samples.cli;

import dev.samediff.adapters.io.LockFile;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where results go. */
class FolderOptions {
    /** Where runs are that nobody named a folder for. */
    static final String RUNS = "samediff-out";

    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder of the results. Default: samediff-out/COMMAND-DATE-TIME here.")
    @Nullable
    Path out;

    @Option(names = "--overwrite", description = "Replace a run that is in --out already.")
    boolean overwrite;

    /** Returns the folder, which need not exist yet. */
    RunFolder folder(String command) {
        Path path = out == null
                ? Path.of(
                        RUNS,
                        command + "-"
                                + LocalDateTime.now(ZoneId.systemDefault()).format(STAMP))
                : out;
        return new RunFolder(path);
    }

    /** Makes the folder. */
    void create(RunFolder folder) throws IOException {
        folder.create(existing());
    }

    /** Takes the folder for this run alone and makes it; the lock is closed when the run has ended. */
    final LockFile open(RunFolder folder) throws IOException {
        LockFile lock = folder.lock();
        try {
            create(folder);
            return lock;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Returns what may be done with a run that is in the folder. */
    RunFolder.Existing existing() {
        return overwrite ? RunFolder.Existing.OVERWRITE : RunFolder.Existing.REFUSE;
    }
}
