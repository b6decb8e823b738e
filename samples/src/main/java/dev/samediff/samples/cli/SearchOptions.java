package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.sweep.PaperSweeps;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.AdapterParameter;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.SpaceJson;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is tried, and how it is chosen. */
final class SearchOptions {
    @Option(
            names = "--space",
            paramLabel = "FILE",
            description = "What to vary, as JSON (docs/tuning.md). Default: SORSA's rank, gamma and learning rate.")
    @Nullable
    Path space;

    @Option(
            names = "--trials",
            paramLabel = "N",
            description = "Trials in all; a grid may have fewer. Default: " + PaperSweeps.SORSA_TRIALS + ".")
    @Nullable
    Integer trials;

    @Option(
            names = "--search",
            paramLabel = "NAME",
            defaultValue = "tpe",
            description = "tpe, random, grid, grid_random or genetic. Default: ${DEFAULT-VALUE}.")
    String search = "tpe";

    @Option(
            names = "--parallel",
            paramLabel = "P",
            defaultValue = "1",
            description = "Trials at the same time; the cores are divided among them. Default: ${DEFAULT-VALUE}.")
    int parallel = 1;

    @Option(
            names = "--prune",
            paramLabel = "RULE",
            defaultValue = "median:5:15",
            description = "When a trial is given up: none, median:TRIALS:STEPS (worse than the median, after so many"
                    + " complete trials and steps) or asha:STEPS:FACTOR. Default: ${DEFAULT-VALUE}.")
    String prune = "median:5:15";

    @Option(
            names = "--retries",
            paramLabel = "N",
            defaultValue = "1",
            description = "Attempts after a failed one. Default: ${DEFAULT-VALUE}.")
    int retries = 1;

    @Option(
            names = "--trial-limit",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description = "Longest duration of a trial; 0: no limit. Default: ${DEFAULT-VALUE}.")
    long trialLimit;

    @Option(
            names = "--grid-points",
            paramLabel = "N",
            defaultValue = "4",
            description = "Points of a grid along a continuous range. Default: ${DEFAULT-VALUE}.")
    int gridPoints = 4;

    @Option(
            names = "--spark",
            paramLabel = "MASTER",
            description = "Run trials as tasks of Apache Spark: local[2], local-cluster[2,1,2048] or an address. Use"
                    + " --parallel to say how many at a time.")
    @Nullable
    String spark;

    /** Returns whether neither space nor number of trials was given: then the papers' sweeps run. */
    boolean isDefault() {
        return space == null && trials == null;
    }

    AdapterSpace space() {
        return AdapterParameter.check(space == null ? PaperSweeps.sorsa() : SpaceJson.read(space));
    }

    SweepPlan plan(long seed) {
        if (trialLimit < 0) {
            throw new InvalidInputException("--trial-limit " + trialLimit + " is not possible; give 0 or more seconds");
        }
        return SweepPlan.of(trials == null ? PaperSweeps.SORSA_TRIALS : trials)
                .withSearch(Search.named(search))
                .withSeed(seed)
                .withParallel(parallel)
                .withPruning(Pruning.parse(prune))
                .withRetries(retries)
                .withLimit(Duration.ofSeconds(trialLimit))
                .withGridPoints(gridPoints);
    }
}
