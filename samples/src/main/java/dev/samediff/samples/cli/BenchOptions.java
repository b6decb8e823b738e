package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.bench.step.EngineChoice;
import dev.samediff.samples.bench.step.Peers;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Mixin;
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

    @Mixin
    Rounds rounds = new Rounds();

    @Mixin
    WorkFolder work = new WorkFolder();

    /** Refuses numbers that mean nothing and looks for the peers. */
    Peers find() throws IOException, InterruptedException {
        rounds.check(threads);
        List<String> wanted = peers.equals(List.of("none")) ? List.of() : peers;
        requireKnown("--peers", wanted, Peers.ALL);
        return Peers.find(wanted);
    }

    static void requireKnown(String option, List<String> given, List<String> known) {
        given.stream().filter(name -> !known.contains(name)).findFirst().ifPresent(name -> {
            throw new InvalidInputException(option + " has `" + name + "`; known are " + String.join(", ", known));
        });
    }
}
