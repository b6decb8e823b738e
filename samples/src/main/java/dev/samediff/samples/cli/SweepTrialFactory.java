package dev.samediff.samples.cli;

import dev.samediff.tuning.Trial;
import dev.samediff.tuning.TrialFactory;
import dev.samediff.tuning.space.SpaceJson;
import java.util.List;
import picocli.CommandLine;

/**
 * Makes a sweep's trial in a process of Spark, from the options of the command. Files must have the same names there.
 *
 * @param arguments the options that say what is searched
 * @param space the space as JSON
 */
record SweepTrialFactory(List<String> arguments, String space) implements TrialFactory {
    SweepTrialFactory {
        arguments = List.copyOf(arguments);
    }

    @Override
    public Trial create() {
        SweepCommand command = new SweepCommand();
        new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments.toArray(String[]::new));
        return command.job().trial(SpaceJson.parse(space, "of the sweep"));
    }
}
