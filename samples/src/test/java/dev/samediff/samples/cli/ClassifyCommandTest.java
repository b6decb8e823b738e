package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.learn.TaskFile;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A classifier on the bundled decoder, whose scores of the first letter serve as features: from files to answers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClassifyCommandTest {
    @TempDir
    static Path folder;

    private Path train;
    private BundledModel bundled;

    @BeforeAll
    void write() throws IOException {
        bundled = BundledModel.extract();
        train = folder.resolve("train.csv");
        List<String> lines = new ArrayList<>(List.of("text,category"));
        String[] names = {"Tom", "Anna", "Ben", "Mia", "Sam", "Lily", "Max", "Ella"};
        for (int i = 0; i < 48; i++) {
            String name = names[i % names.length];
            int count = 2 + i % 7;
            lines.add(
                    i % 2 == 0
                            ? "\"Found by " + name + ", " + count + " pens.\",more"
                            : "Lost by " + name + " are " + count + " pens.,less");
        }
        Files.write(train, lines);
    }

    private Run fineTune(String name, String... more) {
        return Run.of(Stream.concat(
                        Stream.of(
                                "finetune",
                                "--task",
                                "classify",
                                "--model",
                                bundled.onnx().toString(),
                                "--tokenizer",
                                bundled.vocabulary().toString(),
                                "--train",
                                train.toString(),
                                "--eval",
                                train.toString(),
                                "--pooling",
                                "first",
                                "--steps",
                                "40",
                                "--batch",
                                "16",
                                "--rank",
                                "2",
                                "--lr",
                                "1e-2",
                                "--targets",
                                "c_attn",
                                "--max-length",
                                "48",
                                "--eval-every",
                                "0",
                                "--out",
                                folder.resolve(name).toString(),
                                "--json"),
                        Stream.of(more))
                .toArray(String[]::new));
    }

    private Path trained(String method) {
        Path run = folder.resolve(method);
        Run result = fineTune(method, "--method", method);
        assertThat(result.exitCode()).as(result.err()).isZero();
        JsonNode summary = result.json();
        assertThat(summary.required("task").asText()).isEqualTo("classify");
        assertThat(summary.required("method").asText()).isEqualTo(method);
        assertThat(summary.required("eval_loss_after").asDouble())
                .as(method)
                .isLessThan(summary.required("eval_loss_before").asDouble());
        return run;
    }

    @ParameterizedTest
    @ValueSource(strings = {"sorsa", "head", "full", "galore"})
    void a_trained_classifier_answers_and_is_measured_as_its_training_said(String method) throws IOException {
        Path run = trained(method);
        JsonNode summary = Json.parse(Files.readString(run.resolve("summary.json")));
        assertThat(Files.exists(run.resolve("adapter"))).isEqualTo(method.equals("sorsa"));
        assertThat(Files.exists(run.resolve("model.onnx"))).isEqualTo(!method.equals("sorsa"));

        Run evaluated = Run.of("evaluate", "--run", run.toString(), "--data", train.toString(), "--json");
        assertThat(evaluated.exitCode()).as(evaluated.err()).isZero();
        assertThat(evaluated.json().required("metrics").required("accuracy").asDouble())
                .isEqualTo(
                        summary.required("metrics_after").required("accuracy").asDouble());
        assertThat(evaluated.json().required("metrics").required("f1_macro").asDouble())
                .isEqualTo(
                        summary.required("metrics_after").required("f1_macro").asDouble());

        Run predicted = Run.of(
                "predict",
                "--run",
                run.toString(),
                "--text",
                "Found by Tom, 3 pens.",
                "--text",
                "Lost by Mia are 3 pens.",
                "--json",
                "--top",
                "2");
        assertThat(predicted.exitCode()).as(predicted.err()).isZero();
        JsonNode answers = predicted.json();
        assertThat(answers).hasSize(2);
        double sum = answers.path(0)
                        .required("classes")
                        .path(0)
                        .required("probability")
                        .asDouble()
                + answers.path(0)
                        .required("classes")
                        .path(1)
                        .required("probability")
                        .asDouble();
        assertThat(sum).isBetween(0.999, 1.001);
        assertThat(predicted.out().lines().findFirst().orElseThrow())
                .matches("more\t[01]\\.\\d{4}\tFound by Tom, 3 pens\\.");
    }

    @Test
    void what_does_not_fit_is_one_sentence() throws IOException {
        assertThat(fineTune("none", "--method", "lora", "--logits", "scores").error())
                .contains("--pooling")
                .contains("new head");
        Run missing = Run.of("finetune", "--task", "classify");
        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.error()).contains("--model is missing");
        assertThat(Run.of("finetune", "--pooling", "mean").error()).contains("--task classify");
        Run nothing = Run.of("predict", "--run", folder.toString(), "--text", "a");
        assertThat(nothing.exitCode()).isEqualTo(2);
        assertThat(nothing.error()).contains("task.json");

        Path broken = Files.createDirectory(folder.resolve("broken"));
        for (String text : List.of(
                "", "{", "[]", "null", "{\"task\":\"classify\"}", "{\"labels\":[null]}", "{\"pooling\":\"x\"}")) {
            Files.writeString(broken.resolve(TaskFile.NAME), text);
            Run refused = Run.of("predict", "--run", broken.toString(), "--text", "a");
            assertThat(refused.exitCode()).as(text).isEqualTo(2);
            assertThat(refused.error()).as(text).contains(TaskFile.NAME);
        }
    }
}
