package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.spark.AdapterAveraging;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Training on several shards of the data at once. */
final class SparkOptions {
    @Option(
            names = "--spark",
            paramLabel = "MASTER",
            description = "Train as tasks of Apache Spark, each on a share of the examples, and average the adapters:"
                    + " local[2], local-cluster[2,1,2048] or an address.")
    @Nullable
    String master;

    @Option(
            names = "--shards",
            paramLabel = "N",
            defaultValue = "2",
            description = "Shares of the examples; each makes --steps updates of --batch examples. Default:"
                    + " ${DEFAULT-VALUE}.")
    int shards = 2;

    @Option(
            names = "--average-every",
            paramLabel = "N",
            defaultValue = "10",
            description = "Updates between two averagings; must divide --steps. Default: ${DEFAULT-VALUE}.")
    int averageEvery = 10;

    @Option(
            names = "--moments",
            paramLabel = "kept|averaged",
            defaultValue = "averaged",
            description = "AdamW's moments: each shard goes on with its own, or with their mean. Default:"
                    + " ${DEFAULT-VALUE}.")
    AdapterAveraging.Moments moments = AdapterAveraging.Moments.AVERAGED;

    /** Returns how to average over a number of updates. */
    AdapterAveraging averaging(int steps) {
        if (averageEvery < 1 || steps % averageEvery != 0) {
            throw new InvalidInputException("--average-every " + averageEvery + " does not divide --steps " + steps
                    + ": training would end between two averagings; give a divisor");
        }
        return new AdapterAveraging(shards, steps / averageEvery, averageEvery, moments);
    }
}
