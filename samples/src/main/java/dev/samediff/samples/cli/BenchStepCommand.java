package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.step.EngineChoice;
import dev.samediff.samples.bench.step.LossCheck;
import dev.samediff.samples.bench.step.Peers;
import dev.samediff.samples.bench.step.Precision;
import dev.samediff.samples.bench.step.StepBench;
import dev.samediff.samples.bench.step.StepTables;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
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
            description = "sorsa, lora; rank 16 on every linear layer, the head included. Default: ${DEFAULT-VALUE}.")
    List<String> methods = List.of();

    @Option(
            names = "--precision",
            paramLabel = "P[,P...]",
            split = ",",
            defaultValue = "f32,bf16",
            description = "f32, bf16. Default: ${DEFAULT-VALUE}.")
    List<Precision> precisions = List.of();

    @Option(
            names = "--threads",
            paramLabel = "N[,N...]",
            split = ",",
            defaultValue = "1,2",
            description = "Numbers of threads; a peer that is faster with one is given one. Default: ${DEFAULT-VALUE}.")
    List<Integer> threads = List.of();

    @Option(
            names = "--peers",
            paramLabel = "P[,P...]",
            split = ",",
            defaultValue = "pytorch,libtorch,sorsa-dense",
            description = "pytorch, libtorch (through DJL), sorsa-dense (the SORSA authors' dense layer in PyTorch), or"
                    + " none. Default: ${DEFAULT-VALUE}.")
    List<String> peers = List.of();

    @Option(
            names = "--engine",
            paramLabel = "E",
            defaultValue = "compiled",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    EngineChoice engine = EngineChoice.COMPILED;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Processes of each kind, alternating; medians are shown. Default: ${DEFAULT-VALUE}.")
    int rounds;

    @Option(
            names = "--check",
            description = "Measure nothing: train three steps with everyone in float32 and compare the losses.")
    boolean check;

    @Option(
            names = "--work",
            paramLabel = "DIR",
            description =
                    "Where the networks are written and found again; 0.7 GB for gpt2. Default: samples/target/bench.")
    @Nullable
    Path work;

    @Override
    int run() throws IOException, InterruptedException {
        require("--methods", methods, List.of(Sorsa.NAME, Lora.NAME));
        List<String> wanted = peers.equals(List.of("none")) ? List.of() : peers;
        require("--peers", wanted, Peers.ALL);
        if (rounds < 1 || threads.stream().anyMatch(count -> count < 1)) {
            throw new InvalidInputException("--rounds and --threads take 1 and more");
        }
        say("looking for peers, and for the fastest kernels of each linear algebra library ...");
        StepBench.Plan plan = new StepBench.Plan(
                networks == null
                        ? Network.STANDARD
                        : networks.stream().map(Network::parse).toList(),
                methods,
                precisions,
                threads,
                rounds,
                engine,
                work == null ? Peers.samples().resolve("target/bench") : work);
        StepBench bench = new StepBench(plan, Peers.find(wanted), this::say);
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

    private static void require(String option, List<String> given, List<String> known) {
        given.stream().filter(name -> !known.contains(name)).findFirst().ifPresent(name -> {
            throw new InvalidInputException(option + " has `" + name + "`; known are " + String.join(", ", known));
        });
    }
}
