package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.model.BundledModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The bundled model, which knows sums, on files. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EvaluateCommandTest {
    private static final String QUESTION = "Tom has 7 pens. Tom finds 5 more. How many pens now?\\n";

    @TempDir
    static Path folder;

    private Path known;
    private Path gsm8k;

    @BeforeAll
    void write() throws IOException {
        known = Files.writeString(
                folder.resolve("known.jsonl"),
                line("prompt", QUESTION, "response", "7+5=12. Answer: 12")
                        + line("prompt", QUESTION, "response", "5+7=12. Answer: 12"));
        gsm8k = Files.writeString(
                folder.resolve("gsm8k.jsonl"),
                line("question", QUESTION, "answer", "There are 12.\\n#### 12")
                        + line("question", QUESTION, "answer", "There are 13.\\n#### 13"));
    }

    @Test
    void files_are_measured_by_loss_and_by_whole_responses() {
        Run run = run("evaluate", "--data", known.toString(), "--data", gsm8k.toString(), "--json");
        JsonNode scores = run.json();
        assertThat(scores).hasSize(2);
        JsonNode first = scores.get(0);
        assertThat(first.path("file").asText()).isEqualTo("known.jsonl");
        assertThat(first.path("perplexity").asDouble())
                .isCloseTo(Math.exp(first.path("loss").asDouble()), within(1e-9));
        assertThat(first.path("right").asInt()).as("the wording of one").isEqualTo(1);
        assertThat(first.path("asked").asInt()).isEqualTo(2);
        assertThat(first.path("accuracy").asDouble()).isEqualTo(0.5);
        assertThat(first.path("accuracy_low").asDouble()).isCloseTo(0.0945, within(1e-4));
        assertThat(scores.get(1).path("compared").asText())
                .as("GSM8K's own form is known")
                .isEqualTo("####");
        assertThat(run.out()).contains("95 % interval", "50.0%");
    }

    @Test
    void answers_are_extracted_and_compared_as_numbers() {
        JsonNode score = run("evaluate", "--answer", "regex:Answer: ([^\\n]*)", "--data", gsm8k.toString(), "--json")
                .json()
                .get(0);
        assertThat(score.path("right").asInt()).as("12 of 12 and 13").isEqualTo(1);
        JsonNode both = run("evaluate", "--answer", "regex:Answer: ([^\\n]*)", "--data", known.toString(), "--json")
                .json()
                .get(0);
        assertThat(both.path("right").asInt()).as("whatever the wording").isEqualTo(2);
    }

    @Test
    void an_adapter_is_measured_beside_the_model() {
        Path out = folder.resolve("run");
        Run trained = run(
                "finetune",
                "--train",
                known.toString(),
                "--eval",
                known.toString(),
                "--eval",
                gsm8k.toString(),
                "--answer",
                "regex:Answer: (.*)",
                "--model",
                BundledModel.extract().onnx().toString(),
                "--tokenizer",
                BundledModel.extract().vocabulary().toString(),
                "--steps",
                "2",
                "--batch",
                "2",
                "--rank",
                "2",
                "--eval-count",
                "2",
                "--targets",
                "c_attn",
                "--out",
                out.toString(),
                "--json");
        JsonNode evaluations = trained.json().path("evaluations");
        assertThat(evaluations)
                .as("one aimed at, one that shows what is forgotten")
                .hasSize(2);
        assertThat(evaluations.get(0).path("exact_match_before").asDouble()).isEqualTo(1);
        assertThat(evaluations.get(1).path("set").asText()).isEqualTo("gsm8k.jsonl");
        assertThat(evaluations.get(1).path("exact_match_before").asDouble()).isEqualTo(0.5);
        JsonNode scores = run(
                        "evaluate",
                        "--adapter",
                        out.resolve("adapter").toString(),
                        "--data",
                        known.toString(),
                        "--eval-count",
                        "0",
                        "--json")
                .json();
        assertThat(scores).hasSize(2);
        assertThat(scores.get(0).path("adapter").asText()).isEmpty();
        assertThat(scores.get(0).path("loss").asDouble())
                .isCloseTo(evaluations.get(0).path("loss_before").asDouble(), within(1e-5));
        assertThat(scores.get(1).path("loss").asDouble())
                .isCloseTo(evaluations.get(0).path("loss_after").asDouble(), within(1e-5));
        assertThat(scores.get(1).path("accuracy").isNull()).isTrue();
    }

    @Test
    void files_of_math_have_the_form_of_their_solutions() throws IOException {
        Path math =
                Files.writeString(folder.resolve("math.jsonl"), line("problem", QUESTION, "solution", "12 is $12$"));
        JsonNode score =
                run("evaluate", "--data", math.toString(), "--json").json().get(0);
        assertThat(score.path("compared").asText()).isEqualTo("whole response");
        Path boxed = Files.writeString(
                folder.resolve("boxed.jsonl"), line("problem", QUESTION, "solution", "it is $\\\\boxed{12}$"));
        assertThat(run("evaluate", "--data", boxed.toString(), "--eval-count", "0", "--json")
                        .json()
                        .get(0)
                        .path("compared")
                        .asText())
                .isEqualTo("boxed");
    }

    @Test
    void programs_run_only_if_asked_for() throws IOException {
        String start = "{\"task_id\": \"t/0\", \"prompt\": \"" + QUESTION.replace("\\n", "\\n#")
                + "\", \"entry_point\": \"print\", \"canonical_solution\": \"12\", \"test\": \"";
        Path programs = Files.writeString(
                folder.resolve("programs.jsonl"),
                start.replace("Tom has", "#Tom has") + "def check(f): f(1)\"}\n" + start.replace("Tom has", "#Tom has")
                        + "def check(f): assert False\"}\n");
        Run without = run("evaluate", "--data", programs.toString(), "--json");
        assertThat(without.json().get(0).path("asked").asInt()).isZero();
        assertThat(without.err()).contains("programs are not run", "--unsafe-execute");
        JsonNode score = run(
                        "evaluate", "--unsafe-execute", "--max-tokens", "3", "--data", programs.toString(), "--json")
                .json()
                .get(0);
        assertThat(score.path("asked").asInt()).isEqualTo(2);
        assertThat(score.path("right").asInt()).as("a comment does no harm").isEqualTo(1);
        assertThat(score.path("compared").asText()).isEqualTo("programs");
    }

    @Test
    void contradictions_are_refused_before_anything_is_loaded() {
        assertThat(refused("evaluate", "--data", known.toString(), "--answer", "last"))
                .contains("--answer last");
        assertThat(refused("evaluate", "--data", known.toString(), "--prompt", "alpaca", "--template", "{prompt}"))
                .contains("give one");
        assertThat(refused("evaluate", "--run", "x", "--data", known.toString(), "--answer", "boxed"))
                .contains("another task than lm");
        assertThat(refused("evaluate", "--data", "none.jsonl")).contains("none.jsonl");
        assertThat(refused("evaluate", "--data", known.toString(), "--max-tokens", "0"))
                .contains("--max-tokens 0");
    }

    private static String refused(String... words) {
        Run run = Run.of(words);
        assertThat(run.exitCode()).isEqualTo(2);
        return run.error();
    }

    private static Run run(String... words) {
        Run run = Run.of(words);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    private static String line(String first, String prompt, String second, String response) {
        return "{\"" + first + "\": \"" + prompt + "\", \"" + second + "\": \"" + response + "\"}\n";
    }
}
