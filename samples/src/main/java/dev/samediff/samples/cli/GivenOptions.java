package dev.samediff.samples.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options of a command line, to be read again in another process or another run. */
final class GivenOptions {
    /** Options that say where results go and what is shown; those of the whole command line, which commands do not read. */
    static final Set<String> PLACE = Set.of(
            "--out",
            "--resume",
            "--json",
            "--verbose",
            "--backend",
            "--overwrite",
            "--ui",
            "--ui-host",
            "--config",
            "--preset");

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
                        : option.longestName() + "=" + String.join(",", option.originalStringValues()))
                .toList();
    }

    /** Options that say where something is on this machine; they are kept only if they were given. */
    private static final Set<String> MACHINE = Set.of("--weights-directory");

    /**
     * Returns all options that say what is done as the lines of a file ({@link OptionFile}): given ones as they were given, others with their
     * defaults, or as a comment if they have none.
     *
     * @param defaults values of options that have none in the command, by name
     */
    static String lines(CommandSpec spec, Map<String, String> defaults) {
        StringBuilder lines = new StringBuilder("# samples/run " + spec.name() + " --config FILE does this again\n");
        ParseResult parsed = spec.commandLine().getParseResult();
        for (OptionSpec option : spec.options()) {
            String name = option.longestName();
            if (PLACE.contains(name) || option.usageHelp() || option.versionHelp()) {
                continue;
            }
            boolean given = parsed.hasMatchedOption(name);
            if (!given && MACHINE.contains(name)) {
                continue;
            }
            String value = given ? value(spec, option) : defaults.getOrDefault(name, shown(option.getValue()));
            lines.append(OptionFile.line(name.substring(2), value)).append('\n');
        }
        return lines.toString();
    }

    /** Returns the value of an option as it was given, or its default; that of a switch is true or false. */
    static String value(CommandSpec spec, OptionSpec option) {
        boolean given = spec.commandLine().getParseResult().hasMatchedOption(option.longestName());
        return given && option.arity().max() > 0 ? String.join(",", option.stringValues()) : shown(option.getValue());
    }

    private static String shown(@Nullable Object value) {
        return value == null
                ? ""
                : value instanceof Enum<?> each ? each.name().toLowerCase(Locale.ROOT) : value.toString();
    }
}
