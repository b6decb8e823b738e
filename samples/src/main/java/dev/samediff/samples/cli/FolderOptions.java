package dev.samediff.samples.cli;

import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where results go. */
class FolderOptions {
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder of the results. Default: samediff-out/COMMAND-DATE-TIME here.")
    @Nullable
    Path out;

    @Option(names = "--overwrite", description = "Replace a run that is in --out already.")
    boolean overwrite;

    /** Makes the folder. */
    RunFolder folder(String command) throws IOException {
        return create(command, overwrite);
    }

    final RunFolder create(String command, boolean mayHoldRun) throws IOException {
        Path path = out == null
                ? Path.of("samediff-out", command + "-" + LocalDateTime.now().format(STAMP))
                : out;
        return RunFolder.create(path, mayHoldRun);
    }
}
