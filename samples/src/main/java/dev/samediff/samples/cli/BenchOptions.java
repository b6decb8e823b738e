package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.bench.step.EngineChoice;
import dev.samediff.samples.bench.step.Peers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How training steps are measured, and beside whom. */
final class BenchOptions {
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
            description = "This library's engine: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    EngineChoice engine = EngineChoice.COMPILED;

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

    /** Refuses numbers that mean nothing and looks for the peers. */
    Peers find() throws IOException, InterruptedException {
        if (rounds < 1 || threads.stream().anyMatch(count -> count < 1)) {
            throw new InvalidInputException("--rounds and --threads take 1 and more");
        }
        List<String> wanted = peers.equals(List.of("none")) ? List.of() : peers;
        requireKnown("--peers", wanted, Peers.ALL);
        return Peers.find(wanted);
    }

    Path folder() {
        return work == null ? Peers.samples().resolve("target/bench") : work;
    }

    static void requireKnown(String option, List<String> given, List<String> known) {
        given.stream().filter(name -> !known.contains(name)).findFirst().ifPresent(name -> {
            throw new InvalidInputException(option + " has `" + name + "`; known are " + String.join(", ", known));
        });
    }
}
