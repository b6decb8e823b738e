package dev.samediff.adapters.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs a main class of the tests in a process of its own: what ND4J decides once per process can be decided again. */
public final class ForkedJvm {
    private final List<String> classPath = new ArrayList<>();
    private final List<String> flags = new ArrayList<>();
    private final List<String> starter = new ArrayList<>();
    private ProcessBuilder.Redirect errors = ProcessBuilder.Redirect.INHERIT;
    /** One thread: threads that spin while they wait slow down the process that waits for this one. */
    private final Map<String, String> environment = new HashMap<>(Map.of("OMP_NUM_THREADS", "1"));

    /** Puts a folder before everything else on the class path. */
    public ForkedJvm before(Path folder) {
        classPath.add(folder.toString());
        return this;
    }

    /** Adds flags such as {@code -Dname=value}. */
    public ForkedJvm with(String... jvmFlags) {
        flags.addAll(Arrays.asList(jvmFlags));
        return this;
    }

    /** Sets variables of the environment. */
    public ForkedJvm in(Map<String, String> variables) {
        environment.putAll(variables);
        return this;
    }

    /** Starts it by another program, such as one that makes a PID namespace. */
    public ForkedJvm by(String... program) {
        starter.addAll(Arrays.asList(program));
        return this;
    }

    /** Writes what started classes print to standard error to a file, instead of this process's standard error. */
    public ForkedJvm errorsTo(Path file) {
        errors = ProcessBuilder.Redirect.to(file.toFile());
        return this;
    }

    /** Starts the class; its standard output is the caller's to read. */
    public Process start(Class<?> main, String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(main, arguments)).redirectError(errors);
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** Runs the class to its end and returns what it printed to standard output; fails unless it ended with 0. */
    public String run(Class<?> main, String... arguments) throws IOException, InterruptedException {
        Path file = Files.createTempFile("forked-", ".err");
        ProcessBuilder builder = new ProcessBuilder(command(main, arguments)).redirectError(file.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(
                        main + " ended with " + process.exitValue() + ": " + printed + Files.readString(file));
            }
            return printed;
        } finally {
            process.destroy();
            Files.delete(file);
        }
    }

    private List<String> command(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(starter);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                String.join(System.getProperty("path.separator"), classPath)
                        + System.getProperty("path.separator")
                        + System.getProperty("java.class.path")));
        if (Runtime.version().feature() >= 24) { // which warn of what ND4J does
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        }
        command.addAll(flags);
        command.add(main.getName());
        command.addAll(Arrays.asList(arguments));
        return command;
    }
}
