package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.bench.init.InitBench;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.step.Peers;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
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

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Processes of each kind, alternating; medians are shown. Default: ${DEFAULT-VALUE}.")
    int rounds;

    @Option(
            names = "--work",
            paramLabel = "DIR",
            description = "Where networks are written and found again, 0.7 GB for gpt2. Default: samples/target/bench.")
    @Nullable
    Path work;

    @Override
    int run() throws IOException, InterruptedException {
        if (rounds < 1 || threads < 1) {
            throw new InvalidInputException("--rounds and --threads take 1 and more");
        }
        Path folder = work == null ? Peers.samples().resolve("target/bench") : work;
        InitBench.Result result = InitBench.measure(Network.parse(network), folder, threads, rounds, this::say);
        print(InitBench.describe(result), result);
        return 0;
    }
}
