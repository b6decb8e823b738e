package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a sweep's results go. */
final class SweepOutputOptions extends FolderOptions {
    @Option(
            names = "--resume",
            description = "Go on with the sweep in --out; its options are known, more --trials are possible.")
    boolean resume;

    @Option(
            names = "--ui",
            arity = "0..1",
            paramLabel = "PORT",
            fallbackValue = "9000",
            description =
                    "Show the sweep in the browser while it runs, on Arbiter's page. PORT is 9000 unless given; 0:"
                            + " any that is free. Whoever reaches this machine can look at it.")
    @Nullable
    Integer ui;

    @Override
    RunFolder folder(String command) {
        if (resume && out == null) {
            throw new InvalidInputException("--resume needs --out, the folder of the sweep to go on with");
        }
        if (resume && overwrite) {
            throw new InvalidInputException("--resume and --overwrite contradict each other; give one");
        }
        RunFolder folder = super.folder(command);
        out = folder.path();
        return folder;
    }

    @Override
    RunFolder.Existing existing() {
        return resume ? RunFolder.Existing.RESUME : super.existing();
    }

    @Override
    void create(RunFolder folder) throws IOException {
        folder.create(existing());
        if (overwrite) {
            DurableFiles.deleteTree(folder.path().resolve("journal.jsonl"));
            DurableFiles.deleteTree(folder.path().resolve("olora-ranks"));
        }
    }
}
