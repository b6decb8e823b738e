package dev.samediff.adapters.train.listener;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Writes one JSON object per line and event ({@code "event": "step"}, {@code "evaluation"}, {@code "end"}), readable
 * while training goes on. The last one has the share of the time in ND4J's operations ({@code nd4j_share}, 0 to 1), each
 * operation's ({@code nd4j_operations}), and why steps were not compiled ({@code not_compiled}), if the engine knows.
 * A resumed training continues the file behind the step it resumes from; the lines before it are never lost, however it ends.
 */
public final class MetricsFile implements TrainingListener, AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MOST_BYTES = 1L << 29;

    private final Path file;
    private @Nullable BufferedWriter writer;
    private @Nullable ExecutionReport execution;

    /**
     * Names the file; it is opened when training starts.
     *
     * @param file such as {@code metrics.jsonl}
     */
    public MetricsFile(Path file) {
        this.file = file;
    }

    @Override
    public void onStart(TrainingPlan plan, int totalSteps, int startStep) {
        try {
            List<String> kept = startStep > 0 && Files.exists(file) ? linesUpTo(startStep) : List.of();
            DurableFiles.writeText(file, kept.stream().map(line -> line + "\n").collect(Collectors.joining()));
            writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(String.valueOf(e.getMessage()), e);
        }
    }

    private List<String> linesUpTo(int step) throws IOException {
        List<String> kept = new ArrayList<>();
        String text = new String(
                GivenFile.bytes(file, MOST_BYTES, "the metrics of a run"),
                StandardCharsets.UTF_8); // a damaged letter is no failure
        for (String line : text.lines().toList()) {
            JsonNode event;
            try {
                event = JSON.readTree(line);
            } catch (JsonProcessingException cutOff) {
                break;
            }
            if (event.path("step").asInt(Integer.MAX_VALUE) <= step
                    && !event.path("event").asText().equals("end")) {
                kept.add(line);
            }
        }
        return kept;
    }

    @Override
    public void onStep(StepReport report) {
        Map<String, Object> line = line("step", report.step());
        line.put("loss", report.loss());
        line.put("penalty", report.penalty());
        line.put("total", report.total());
        line.put("learning_rate", report.learningRate());
        line.put("gradient_norm", report.gradientNorm());
        line.put("tokens", report.tokens());
        line.put("seconds", report.seconds());
        report.orthonormality().ifPresent(distance -> line.put("orthonormality", distance));
        write(line);
    }

    @Override
    public void onEvaluation(Evaluation evaluation) {
        Map<String, Object> line = line("evaluation", evaluation.step());
        line.put("loss", evaluation.loss());
        line.put("tokens", evaluation.tokens());
        line.put("best", evaluation.best());
        if (!evaluation.metrics().isEmpty()) {
            line.put("metrics", evaluation.metrics());
        }
        write(line);
    }

    @Override
    public void onExecution(ExecutionReport report) {
        execution = report;
    }

    @Override
    public void onEnd(TrainingResult result) {
        Map<String, Object> line = line("end", result.steps());
        line.put("reason", result.reason().name().toLowerCase(java.util.Locale.ROOT));
        line.put("loss", result.finalLoss());
        line.put("seconds", result.seconds());
        if (execution != null) {
            line.put("nd4j_share", execution.nd4jShare());
            line.put("nd4j_operations", execution.operations());
            line.put("not_compiled", execution.notCompiled().orElse(null));
        }
        write(line);
        close();
    }

    private static Map<String, Object> line(String event, int step) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", event);
        line.put("step", step);
        return line;
    }

    private void write(Map<String, Object> line) {
        if (writer == null) {
            return;
        }
        try {
            writer.write(JSON.writeValueAsString(line) + "\n");
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        if (writer != null) {
            try {
                writer.close();
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
            }
            writer = null;
        }
    }
}
