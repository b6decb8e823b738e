package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import picocli.CommandLine.Option;

/** How often contenders are measured. */
final class Rounds {
    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Processes of each kind, alternating; medians are shown. Default: ${DEFAULT-VALUE}.")
    int rounds;

    /** Refuses numbers that mean nothing. */
    void check(List<Integer> threads) {
        if (rounds < 1 || threads.stream().anyMatch(count -> count < 1)) {
            throw new InvalidInputException("--rounds and --threads take 1 and more");
        }
    }
}
