package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.FolderManifest;
import dev.samediff.adapters.io.ListenAddress;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a sweep's results go. */
final class SweepOutputOptions extends FolderOptions {
    /** The file with a line per ended trial. */
    static final String JOURNAL = "journal.jsonl";
    /** The folder of the second of the papers' sweeps. */
    static final String RANKS = "olora-ranks";

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
                            + " any that is free. Only this machine can look at it, unless --ui-host says otherwise.")
    @Nullable
    Integer ui;

    @Option(
            names = "--ui-host",
            paramLabel = "ADDRESS",
            description =
                    "With --ui: address of this machine where the page is shown, 0.0.0.0 for all of them. Anybody who"
                            + " reaches it can look, without a password. Default: this machine only.")
    @Nullable
    String uiHost;

    /**
     * Returns where the page is shown, if it is asked for.
     *
     * @throws InvalidInputException if it cannot be shown there
     */
    Optional<ListenAddress> page() {
        if (ui == null && uiHost != null) {
            throw new InvalidInputException("--ui-host needs --ui, the page that is shown there");
        }
        return Optional.ofNullable(ui)
                .map(port -> uiHost == null ? ListenAddress.ofThisMachine(port) : new ListenAddress(uiHost, port));
    }

    @Override
    RunFolder folder(String command) {
        if (resume && out == null) {
            throw new InvalidInputException(
                    "--resume found no sweep in " + RUNS + "; name the folder of the sweep to go on with by --out");
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
        Path ranks = folder.path().resolve(RANKS);
        Optional<String> stranger =
                overwrite && Files.exists(ranks) ? FolderManifest.stranger(ranks) : Optional.empty();
        if (stranger.isPresent()) {
            throw new InvalidInputException(ranks + " holds `" + stranger.get()
                    + "`, which no sweep wrote, so --overwrite leaves the folder alone; name another one with --out");
        }
        folder.create(existing());
        if (overwrite) {
            DurableFiles.deleteTree(folder.path().resolve(JOURNAL));
            DurableFiles.deleteTree(ranks);
        }
    }

    /** Makes the folder of a sweep beside the main one. */
    static void createBeside(Path ranks) throws IOException {
        Files.createDirectories(ranks);
        FolderManifest.write(ranks, List.of(JOURNAL, "." + JOURNAL + ".lock", "trials.csv"));
    }
}
