package dev.samediff.samples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/** How long a fresh JVM takes to import a file, and what memory it needs, beside the time of reading the file. */
public final class ImportBench {
    private ImportBench() {}

    /**
     * Medians of the runs.
     *
     * @param fileBytes size of the file
     * @param readSeconds reading it from the page cache into one buffer
     * @param importSeconds the import itself, in a process that has done nothing before
     * @param processSeconds that process from its start to its end
     * @param emptySeconds a process that imports a file of a few kilobytes, from its start to its end: JVM, ND4J, classes
     * @param peakBytes peak resident memory of the importing process
     * @param emptyBytes the same of the process that imports the small file
     */
    public record Result(
            long fileBytes,
            double readSeconds,
            double importSeconds,
            double processSeconds,
            double emptySeconds,
            long peakBytes,
            long emptyBytes) {}

    private record Run(double importSeconds, long peakBytes, double processSeconds) {}

    /**
     * Measures.
     *
     * @param file the file
     * @param small a small file of the same kind
     * @param runs number of runs of each kind, alternating
     */
    public static Result measure(Path file, Path small, int runs) throws IOException, InterruptedException {
        List<Double> reads = new ArrayList<>();
        List<Run> imports = new ArrayList<>();
        List<Run> empties = new ArrayList<>();
        read(file);
        for (int i = 0; i < runs; i++) {
            reads.add(read(file));
            imports.add(run(file));
            empties.add(run(small));
        }
        return new Result(
                Files.size(file),
                median(reads.stream().mapToDouble(Double::doubleValue)),
                median(imports.stream().mapToDouble(Run::importSeconds)),
                median(imports.stream().mapToDouble(Run::processSeconds)),
                median(empties.stream().mapToDouble(Run::processSeconds)),
                (long) median(imports.stream().mapToDouble(Run::peakBytes)),
                (long) median(empties.stream().mapToDouble(Run::peakBytes)));
    }

    private static double read(Path file) throws IOException {
        long start = System.nanoTime();
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        try (FileChannel channel = FileChannel.open(file)) {
            while (channel.read(buffer) >= 0) {
                buffer.clear();
            }
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static Run run(Path file) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx3g",
                "-XX:+UseParallelGC",
                "-Xshare:auto",
                "-Dorg.bytedeco.javacpp.maxbytes=0",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                "-cp",
                System.getProperty("java.class.path"),
                ImportProbe.class.getName(),
                file.toString()));
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        double seconds = (System.nanoTime() - start) / 1e9;
        String line = output.lines()
                .filter(each -> each.startsWith("{"))
                .reduce((first, second) -> second)
                .orElseThrow(() -> new IOException("the importing process ended with " + code + ": " + output));
        JsonNode result = Json.parse(line);
        return new Run(
                result.path("seconds").asDouble(), result.path("peak_bytes").asLong(), seconds);
    }

    private static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
