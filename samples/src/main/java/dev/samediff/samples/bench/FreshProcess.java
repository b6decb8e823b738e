package dev.samediff.samples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.backend.CudaGate;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs programs that measure one thing and say it as a line of JSON on standard output. They inherit no setting of a
 * linear algebra or threading library.
 */
public final class FreshProcess {
    private static final List<String> LIBRARIES = List.of("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "GOTO_");
    private static final String HEAP = "SAMEDIFF_HEAP";
    private static final String PREFER_CPU = "BACKEND_PRIORITY_CPU";

    private FreshProcess() {}

    /** A program that ended without a result; the message is the last thing it said. */
    public static final class Failed extends IOException {
        private static final long serialVersionUID = 1L;

        Failed(String message) {
            super(message);
        }
    }

    /** What a program said, and how long it took from its start to its end. */
    public record Result(JsonNode line, double seconds) {}

    /**
     * Runs a program to its end.
     *
     * @param command the program and its arguments
     * @param settings environment variables it gets besides this process's
     * @throws Failed if it ends with an error or says nothing
     */
    public static Result run(List<String> command, Map<String, String> settings)
            throws IOException, InterruptedException {
        Path errors = Files.createTempFile("samediff-bench-", ".log");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
            builder.environment().keySet().removeIf(name -> LIBRARIES.stream().anyMatch(name::startsWith));
            if (CudaGate.isBackendPresent() && Nd4j.getEnvironment().isCPU()) {
                builder.environment().put(PREFER_CPU, "200"); // what this process computes with, the other does too
            }
            builder.environment().putAll(settings);
            long start = System.nanoTime();
            Process process = builder.start();
            String output;
            int code;
            try {
                output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                code = process.waitFor();
            } finally {
                process.destroy();
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            Optional<String> line =
                    output.lines().filter(each -> each.startsWith("{")).reduce((first, second) -> second);
            if (code != 0 || line.isEmpty()) {
                String said = Files.readString(errors) + output;
                throw new Failed("exit code " + code + ", "
                        + said.lines()
                                .map(String::strip)
                                .filter(each -> !each.isEmpty())
                                .reduce((first, second) -> second)
                                .orElse("without a word"));
            }
            return new Result(Json.parse(line.get()), seconds);
        } finally {
            Files.deleteIfExists(errors);
        }
    }

    /**
     * Returns the command that starts a class of this program in a JVM set up as {@code samples/run} does it.
     *
     * @param main the class
     * @param arguments its arguments
     */
    public static List<String> java(Class<?> main, String... arguments) {
        List<String> command = java(System.getProperty("java.class.path"), main.getName(), arguments);
        command.addAll(1, sharedClasses());
        return command;
    }

    /** The archive of classes that this process was started with, if there is one; it fits its class path only. */
    private static List<String> sharedClasses() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("-XX:SharedArchiveFile=") || option.startsWith("-Xlog:cds"))
                .toList();
    }

    /** Returns the command that starts a class of a class path in such a JVM. */
    public static List<String> java(String classPath, String main, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + Objects.requireNonNullElse(System.getenv(HEAP), "3g"),
                "-Xms32m",
                "-XX:+UseSerialGC",
                "-XX:MinHeapFreeRatio=10",
                "-XX:MaxHeapFreeRatio=25",
                "-Xshare:auto",
                "-Dorg.bytedeco.javacpp.maxbytes=0",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                "-cp",
                classPath,
                main));
        command.addAll(List.of(arguments));
        return command;
    }
}
