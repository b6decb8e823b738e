package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.backend.Backend;
import dev.samediff.adapters.backend.BackendChoice;
import dev.samediff.adapters.backend.CudaGate;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line that {@code samples/run} starts. */
@CommandLine.Command(
        name = "samples/run",
        description = "Adapts transformers with LoRA, OLoRA, PiSSA and SORSA on Deeplearning4j's SameDiff.",
        subcommands = {
            FineTuneCommand.class,
            CompareCommand.class,
            AnalyseCommand.class,
            SweepCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            ServeCommand.class,
            PredictCommand.class,
            EvaluateCommand.class,
            MergeCommand.class,
            ConvertCommand.class,
            PlanCommand.class,
            InspectCommand.class,
            VerifyCommand.class,
            Dl4jCommand.class,
            BenchCommand.class,
            DoctorCommand.class
        },
        mixinStandardHelpOptions = true,
        version = "samediff-adapters 0.1.0-SNAPSHOT",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Start here:",
            "  samples/run finetune              the bundled model and data, a few minutes",
            "  samples/run finetune --help       your own model and data",
            "",
            "Exit codes: 0 done; 1 the work failed or fell short; 2 wrong usage or unreadable input; 129, 130 and 143 ended",
            "by SIGHUP, SIGINT (Ctrl-C) and SIGTERM."
        })
public final class Cli implements Runnable {
    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Show what libraries log, and stack traces of failures.")
    boolean verbose;

    @Option(
            names = "--backend",
            scope = ScopeType.INHERIT,
            paramLabel = "auto|cpu|cuda",
            description =
                    "What computes: CUDA if it is usable, else the CPU (auto, the default); the CPU; CUDA or nothing.")
    @Nullable
    Backend backend;

    private static final int WIDTH = 110;

    private Cli() {}

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] arguments) {
        PrintStream results = System.out;
        PrintWriter out = new PlainPrinter(results);
        PrintWriter err = new PlainPrinter(System.err);
        Verbosity.apply(List.of(arguments).contains("--verbose"));
        int exitCode = execute(out, err, arguments);
        results.close(); // OpenBLAS prints to standard output when the process ends; this sends it nowhere
        System.exit(exitCode);
    }

    /**
     * Runs a command.
     *
     * @param out where results go
     * @param err where everything else goes
     * @param arguments command and options
     * @return 0 done, 1 the work failed or fell short, 2 wrong usage or unreadable input
     */
    public static int execute(PrintWriter out, PrintWriter err, String... arguments) {
        Cli root = new Cli();
        CommandLine line = new CommandLine(root)
                .setOut(out)
                .setErr(err)
                .setUsageHelpWidth(WIDTH)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(parsed -> root.selectAndRun(parsed, err))
                .setParameterExceptionHandler((failure, unused) -> usageError(failure))
                .setExecutionExceptionHandler((failure, command, unused) -> root.end(failure, err));
        int exitCode;
        try {
            exitCode = line.execute(ConfiguredWords.of(line, arguments));
        } catch (InvalidInputException | IOException e) {
            exitCode = root.end(e, err);
        } catch (OutOfMemoryError | LinkageError | AssertionError e) {
            exitCode = root.end(e, err);
        }
        if (out.checkError() && exitCode == 0) { // flushes; a script must not take a cut-off result for a whole one
            err.println(
                    "error: the results could not be written to standard output; is its disk full, or was it closed?");
            exitCode = Failure.WORK_FAILED;
        }
        err.flush();
        return exitCode;
    }

    @Override
    public void run() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }

    /** Selects the backend before a command uses ND4J. What was decided is said where there was something to decide. */
    private int selectAndRun(ParseResult parsed, PrintWriter err) {
        Integer help = CommandLine.executeHelpRequest(parsed);
        if (help != null) {
            return help;
        }
        try {
            BackendChoice choice = (backend == null ? Backend.AUTO : backend).select();
            if (backend != null || CudaGate.isBackendPresent()) {
                err.println(choice.sentence());
            }
        } catch (InvalidInputException | IllegalStateException e) {
            return end(e, err);
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private int end(Throwable thrown, PrintWriter err) {
        Failure failure = Failure.of(thrown);
        err.println("error: " + failure.sentence());
        if (verbose) {
            thrown.printStackTrace(err);
        }
        return failure.exitCode();
    }

    private static int usageError(ParameterException failure) {
        CommandLine command = failure.getCommandLine();
        Failure sentence = new Failure(Failure.UNUSABLE_INPUT, UsageErrors.sentence(failure));
        command.getErr().println("error: " + sentence.sentence());
        return sentence.exitCode();
    }
}
