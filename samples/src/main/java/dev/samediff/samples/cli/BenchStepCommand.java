package dev.samediff.samples.cli;

import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.step.LossCheck;
import dev.samediff.samples.bench.step.Precision;
import dev.samediff.samples.bench.step.StepBench;
import dev.samediff.samples.bench.step.StepTables;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench step}: training steps side by side with the peers'. */
@CommandLine.Command(
        name = "step",
        description = "Compares time and peak memory of a training step with PyTorch's and libtorch's on the same"
                + " networks, weights and batches, in alternating fresh processes.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchStepCommand extends Command {
    @Option(
            names = "--networks",
            paramLabel = "N[,N...]",
            split = ",",
            description = "small, wide, gpt2, or sizes such as \"d=256 L=4 H=4 B=8 T=128 V=2000\". Default: the three"
                    + " named ones.")
    @Nullable
    List<String> networks;

    @Option(
            names = "--methods",
            paramLabel = "M[,M...]",
            split = ",",
            defaultValue = "sorsa,lora",
            description =
                    "sorsa, lora, or another method, which no peer has; rank 16 on every linear layer, the head included. Default: ${DEFAULT-VALUE}.")
    List<String> methods = List.of();

    @Option(
            names = "--precision",
            paramLabel = "P[,P...]",
            split = ",",
            defaultValue = "f32,bf16",
            description = "f32, bf16. Default: ${DEFAULT-VALUE}.")
    List<Precision> precisions = List.of();

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(
            names = "--check",
            description = "Measure nothing: train three steps with everyone in float32 and compare the losses.")
    boolean check;

    @Override
    int run() throws IOException, InterruptedException {
        BenchOptions.requireKnown("--methods", methods, AdapterMethods.names());
        StepBench.Plan plan = new StepBench.Plan(
                networks == null
                        ? Network.STANDARD
                        : networks.stream().map(Network::parse).toList(),
                methods,
                precisions,
                options.threads,
                options.rounds.rounds,
                options.engine,
                options.work.folder());
        say("looking for peers, and for the fastest kernels of each linear algebra library ...");
        StepBench bench = new StepBench(plan, options.find(), this::say);
        return check ? check(bench) : measure(bench);
    }

    private int measure(StepBench bench) throws IOException, InterruptedException {
        StepBench.Result result = bench.measure();
        print(StepTables.describe(result), result);
        return 0;
    }

    private int check(StepBench bench) throws IOException, InterruptedException {
        List<LossCheck> checks = LossCheck.of(bench.losses());
        print(StepTables.describe(checks), Map.of("checks", checks));
        List<LossCheck> failed = checks.stream().filter(each -> !each.passed()).toList();
        if (!failed.isEmpty()) {
            LossCheck first = failed.get(0);
            say("error: the first loss of " + first.contender() + " with " + first.network() + " is "
                    + first.losses().get(0) + ", " + first.difference() + " from this library's; at most "
                    + LossCheck.TOLERANCE + " was expected");
        }
        return failed.isEmpty() ? 0 : Failure.WORK_FAILED;
    }
}
