package dev.samediff.samples.cli;

import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;

/** The options of a command line, to be read again in another process or another run. */
final class GivenOptions {
    /** Options that say where results go and what is shown; those of the whole command line, which commands do not read. */
    static final Set<String> PLACE =
            Set.of("--out", "--resume", "--json", "--verbose", "--backend", "--overwrite", "--ui", "--ui-host");

    private GivenOptions() {}

    /** Returns their names. */
    static List<String> names(CommandSpec spec) {
        return spec.commandLine().getParseResult().matchedOptions().stream()
                .map(option -> option.longestName())
                .toList();
    }

    /** Returns those that say what is done, as words. */
    static List<String> words(CommandSpec spec) {
        return spec.commandLine().getParseResult().matchedOptions().stream()
                .filter(option -> !PLACE.contains(option.longestName()))
                .map(option -> option.arity().max() == 0
                        ? option.longestName()
                        : option.longestName() + "="
                                + option.originalStringValues().get(0))
                .toList();
    }
}
