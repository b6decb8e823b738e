package dev.samediff.samples.cli;

import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.bench.step.Growth;
import dev.samediff.samples.bench.step.Precision;
import dev.samediff.samples.bench.step.StepBench;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** {@code bench growth}: the cost of a token for longer texts and more layers. */
@CommandLine.Command(
        name = "growth",
        description = "Shows what a token costs in a training step with texts of 128, 256 and 512 tokens and with 4, 8"
                + " and 12 layers, beside the peers: SORSA of rank 16, width 256, batches of 4.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchGrowthCommand extends Command {
    @Mixin
    BenchOptions options = new BenchOptions();

    @Override
    int run() throws IOException, InterruptedException {
        StepBench.Plan plan = new StepBench.Plan(
                Growth.networks(),
                List.of(Sorsa.NAME),
                List.of(Precision.F32),
                options.threads,
                options.rounds.rounds,
                options.engine,
                options.work.folder());
        StepBench.Result result = new StepBench(plan, options.find(), this::say).measure();
        List<Growth.Row> rows = Growth.rows(result.results());
        print(Growth.describe(rows, result.notes()), Map.of("results", rows));
        return 0;
    }
}
