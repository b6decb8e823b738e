package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.output.Json;
import dev.samediff.samples.output.Progress;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every command has: a place for results, one for progress, and {@code --json}. */
abstract class Command implements Callable<Integer> {
    /** Set by samples/run if standard error is a terminal. */
    private static final String TERMINAL = "samediff.terminal";

    @Spec
    @Nullable
    CommandSpec spec;

    @Option(names = "--json", description = "End with one line of JSON on standard output.")
    boolean json;

    /** Does the work and returns the exit code. */
    abstract int run() throws Exception;

    @Override
    public final Integer call() throws Exception {
        requireOnce();
        int exitCode = run();
        out().flush();
        return exitCode;
    }

    /**
     * Refuses an option that is given twice: picocli would begin its group of options anew, and forget the others of the group.
     */
    private void requireOnce() {
        List<String> given = spec().commandLine().getParseResult().originalArgs();
        for (OptionSpec option : spec().options()) {
            long times = given.stream()
                    .filter(word -> Stream.of(option.names())
                            .anyMatch(name -> word.equals(name) || word.startsWith(name + "=")))
                    .count();
            if (times > 1 && !option.isMultiValue()) {
                throw new InvalidInputException(option.longestName() + " is given " + times + " times; give it once");
            }
        }
    }

    /** Returns the options and position of this command. */
    final CommandSpec spec() {
        if (spec == null) {
            throw new IllegalStateException("not started by picocli");
        }
        return spec;
    }

    final PrintWriter out() {
        return spec().commandLine().getOut();
    }

    /** Says something to the person who waits; not a result. */
    final void say(String text) {
        PrintWriter err = spec().commandLine().getErr();
        err.println(text);
        err.flush();
    }

    /** Says something while a progress bar is drawn: on a terminal the line takes the bar's place, which moves down. */
    final void sayAboveBar(String text) {
        say(Boolean.getBoolean(TERMINAL) ? String.format("\r%-" + Progress.WIDTH + "s", text) : text);
    }

    /** Prints the result: as one JSON line at the end if asked for. */
    final void print(String text, Object result) {
        out().println(text);
        if (json) {
            printJson(result);
        }
    }

    final void printJson(Object result) {
        out().println(Json.line(result));
    }

    /** Returns what a person would type to do this again. */
    final String commandLine() {
        return quoted(words());
    }

    /** Returns the words of that. */
    final List<String> words() {
        return Stream.concat(
                        Stream.of(spec().root().qualifiedName()),
                        spec().root().commandLine().getParseResult().originalArgs().stream())
                .toList();
    }

    /** Returns words as a shell reads them. */
    static String quoted(List<String> words) {
        return words.stream()
                .map(word -> word.matches("[\\w./:,=+@%-]+") ? word : "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }

    final Progress.Factory progress() {
        PrintStream err = System.err;
        return Progress.Factory.on(err, Boolean.getBoolean(TERMINAL));
    }
}
