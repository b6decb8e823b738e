package dev.samediff.samples.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

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
                Statistics.median(reads),
                Statistics.median(each(imports, Run::importSeconds)),
                Statistics.median(each(imports, Run::processSeconds)),
                Statistics.median(each(empties, Run::processSeconds)),
                (long) Statistics.median(each(imports, run -> (double) run.peakBytes())),
                (long) Statistics.median(each(empties, run -> (double) run.peakBytes())));
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

    private static List<Double> each(List<Run> runs, Function<Run, Double> part) {
        return runs.stream().map(part).toList();
    }

    private static Run run(Path file) throws IOException, InterruptedException {
        List<String> command = FreshProcess.java(ImportProbe.class, file.toString());
        command.add(1, "-XX:TieredStopAtLevel=1"); // as samples/run starts short commands
        FreshProcess.Result result = FreshProcess.run(command, Map.of());
        return new Run(
                result.line().path("seconds").asDouble(),
                result.line().path("peak_bytes").asLong(),
                result.seconds());
    }
}
