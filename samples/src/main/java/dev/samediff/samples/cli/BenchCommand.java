package dev.samediff.samples.cli;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code bench}: measurements. */
@CommandLine.Command(
        name = "bench",
        description = "Measures; every measurement is a command of its own.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "MEASUREMENT",
        subcommands = {
            BenchStepCommand.class,
            BenchGrowthCommand.class,
            BenchInitCommand.class,
            BenchImportCommand.class,
            BenchGenerateCommand.class,
            BenchServeCommand.class,
            BenchScaleCommand.class
        })
final class BenchCommand implements Runnable {
    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                Objects.requireNonNull(spec).commandLine(),
                "name a measurement: step, growth, init, import, generate, serve, scale");
    }
}
