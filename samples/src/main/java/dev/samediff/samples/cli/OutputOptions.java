package dev.samediff.samples.cli;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.checkpoint.TrainingCheckpoints;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.samples.finetune.KeptAdapters;
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

    @Option(
            names = "--keep-adapters",
            paramLabel = "N",
            description =
                    "Keep the adapter of each evaluation in OUT/adapters, for analyse; at most N, spread over the training.")
    @Nullable
    Integer keepAdapters;

    @Override
    RunFolder folder(String command) {
        requireNoneOrMore("--checkpoint-every", checkpointEvery, "0 for none, or the steps between checkpoints");
        if (keepAdapters != null && keepAdapters < 2) {
            throw new InvalidInputException("--keep-adapters " + keepAdapters
                    + " is not possible; give 2 or more, for the first evaluation's and the last one's");
        }
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

    /**
     * Returns who keeps the adapter of each evaluation, if asked for.
     *
     * @param adapted the adapters that are trained; none if weights are trained whole
     */
    Optional<KeptAdapters> keeper(
            RunFolder folder, Optional<AdaptedModel> adapted, AdapterFolder.Description description) {
        if (keepAdapters == null) {
            return Optional.empty();
        }
        AdaptedModel model = adapted.orElseThrow(() -> new InvalidInputException(
                "--keep-adapters needs an adapter, and this training has none; leave it out"));
        return Optional.of(new KeptAdapters(model, description, folder.adapters(), keepAdapters));
    }

    /** Returns who is told how the training goes. */
    static TrainingListener[] listeners(TrainingListener metrics, Optional<KeptAdapters> keeper) {
        return keeper.map(kept -> new TrainingListener[] {metrics, kept}).orElse(new TrainingListener[] {metrics});
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
