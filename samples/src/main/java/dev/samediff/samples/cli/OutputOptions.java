package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.checkpoint.TrainingCheckpoints;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where results and checkpoints go. */
final class OutputOptions extends FolderOptions {
    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Steps between checkpoints; 0: only if a signal (Ctrl-C) ends the run. Default: ${DEFAULT-VALUE}.")
    int checkpointEvery;

    @Option(names = "--resume", description = "Go on from the newest checkpoint in --out.")
    boolean resume;

    @Option(names = "--checkpoints-kept", paramLabel = "N", description = "Newest checkpoints that stay. Default: 2.")
    @Nullable
    Integer checkpointsKept;

    @Override
    RunFolder folder(String command) {
        requireNoneOrMore("--checkpoint-every", checkpointEvery, "0 for none, or the steps between checkpoints");
        if (resume && out == null) {
            throw new InvalidInputException("--resume found no run with checkpoints in " + RUNS
                    + "; name the folder of the run to go on with by --out");
        }
        if (resume && overwrite) {
            throw new InvalidInputException("--resume and --overwrite contradict each other; give one");
        }
        return super.folder(command);
    }

    @Override
    void create(RunFolder folder) throws IOException {
        super.create(folder);
        if (overwrite) {
            TrainingCheckpoints.clear(folder.checkpoints());
        }
    }

    @Override
    RunFolder.Existing existing() {
        return resume ? RunFolder.Existing.RESUME : super.existing();
    }

    private static void requireNoneOrMore(String option, int value, String expected) {
        if (value < 0) {
            throw new InvalidInputException(option + " " + value + " is not possible; give " + expected);
        }
    }

    /** Returns the checkpoints to go on from, if asked for. */
    Optional<Path> resumeFrom(RunFolder folder) {
        if (resume && !Files.isDirectory(folder.checkpoints())) {
            throw new InvalidInputException(
                    folder.path() + " has no checkpoints to go on from; a run leaves them with --checkpoint-every N");
        }
        return resume ? Optional.of(folder.checkpoints()) : Optional.empty();
    }

    /** Adds checkpoints; without an interval, one is written only when a signal ends the training. */
    TrainingPlan.Builder withCheckpoints(TrainingPlan.Builder plan, RunFolder folder) {
        if (checkpointsKept != null) {
            plan.checkpointsKept(checkpointsKept);
        }
        return plan.checkpoints(folder.checkpoints(), checkpointEvery);
    }
}
