package dev.samediff.samples.cli;

import dev.samediff.samples.bench.init.InitBench;
import dev.samediff.samples.bench.network.Network;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench init}: starting adapters beside NumPy's and PyTorch's decompositions. */
@CommandLine.Command(
        name = "init",
        description = "Compares the time of starting SORSA adapters of rank 16 on every linear layer, exactly and fast,"
                + " with NumPy's and PyTorch's decompositions of the same weights.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchInitCommand extends Command {
    @Option(
            names = "--network",
            paramLabel = "N",
            defaultValue = "wide",
            description = "small, wide, gpt2, or sizes such as \"d=256 L=4 H=4 B=8 T=128 V=2000\". Default:"
                    + " ${DEFAULT-VALUE}.")
    String network = "";

    @Option(names = "--threads", paramLabel = "N", description = "How many threads compute. Default: all cores.")
    int threads = Runtime.getRuntime().availableProcessors();

    @Mixin
    Rounds rounds = new Rounds();

    @Mixin
    WorkFolder work = new WorkFolder();

    @Override
    int run() throws IOException, InterruptedException {
        rounds.check(List.of(threads));
        InitBench.Result result =
                InitBench.measure(Network.parse(network), work.folder(), threads, rounds.rounds, this::say);
        print(InitBench.describe(result), result);
        return 0;
    }
}
