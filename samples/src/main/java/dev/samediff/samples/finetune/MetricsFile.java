package dev.samediff.samples.finetune;

import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingListener;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes a line of JSON for every update and every evaluation as they happen, so that one can watch. When training is
 * resumed, the lines after the checkpoint are dropped and the rest goes on.
 */
public final class MetricsFile implements TrainingListener, AutoCloseable {
    private final Path file;
    private @Nullable Writer writer;

    /** Prepares to write into a file. */
    public MetricsFile(Path file) {
        this.file = file;
    }

    @Override
    public void onStart(TrainingPlan plan, int totalSteps, int startStep) {
        try {
            DurableFiles.writeText(file, kept(startStep));
            writer = Files.newBufferedWriter(file, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void onStep(StepReport report) {
        write(report);
    }

    @Override
    public void onEvaluation(Evaluation evaluation) {
        write(new EvaluationLine(evaluation.step(), evaluation.loss(), evaluation.tokens(), evaluation.best()));
    }

    @Override
    public void onEnd(TrainingResult result) {
        close();
    }

    @Override
    public void close() {
        if (writer == null) {
            return;
        }
        try {
            writer.close();
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            writer = null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(Object line) {
        if (writer == null) {
            throw new IllegalStateException("the training has not started");
        }
        try {
            writer.write(Json.line(line) + "\n");
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    new IOException("cannot write " + file + " (" + e.getMessage() + "); free space or choose another --out", e));
        }
    }

    private String kept(int startStep) throws IOException {
        if (startStep == 0 || !Files.exists(file)) {
            return "";
        }
        List<String> lines = Files.readAllLines(file).stream()
                .filter(line -> Json.parse(line).path("step").asInt(Integer.MAX_VALUE) <= startStep)
                .toList();
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }

    private record EvaluationLine(int step, double evalLoss, long tokens, boolean best) {}
}
