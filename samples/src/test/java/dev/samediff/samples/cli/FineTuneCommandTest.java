package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.importer.OnnxVerifier;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** A tiny run on the bundled model, and everything one does with its result. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FineTuneCommandTest {
    @TempDir
    static Path folder;

    private final String[] arguments = {
        "finetune",
        "--steps",
        "4",
        "--batch",
        "4",
        "--rank",
        "4",
        "--eval-every",
        "0",
        "--eval-count",
        "2",
        "--checkpoint-every",
        "2",
        "--targets",
        "c_attn",
        "--out",
        "",
        "--json"
    };

    private Path run;
    private Run result;

    @BeforeAll
    void fineTune() {
        run = folder.resolve("run");
        arguments[arguments.length - 2] = run.toString();
        result = Run.of(arguments);
        assertThat(result.exitCode()).as(result.err()).isZero();
    }

    @Test
    void the_last_line_is_json_with_the_figures() {
        JsonNode json = result.json();
        assertThat(json.path("method").asText()).isEqualTo("sorsa");
        assertThat(json.path("rank").asInt()).isEqualTo(4);
        assertThat(json.path("steps").asInt()).isEqualTo(4);
        assertThat(json.path("trainable_parameters").asLong()).isEqualTo(4 * 4 * (128 + 384 + 1));
        assertThat(json.path("eval_loss_after").asDouble())
                .isLessThan(json.path("eval_loss_before").asDouble());
        assertThat(json.path("exact_match_after").asDouble()).isBetween(0.0, 1.0);
        assertThat(json.path("seconds_per_step").asDouble()).isPositive();
        assertThat(json.path("peak_memory_mb").asLong()).isPositive();
    }

    @Test
    void the_table_shows_before_and_after() {
        assertThat(result.out()).contains("loss, new stories", "exact match, old stories", "trained parameters");
    }

    @Test
    void the_folder_holds_adapter_metrics_summary_and_report() throws IOException {
        assertThat(run.resolve("adapter/adapter_model.safetensors")).exists();
        assertThat(run.resolve("adapter/adapter_config.json")).exists();
        List<String> metrics = Files.readAllLines(run.resolve("metrics.jsonl"));
        JsonNode end = Json.parse(metrics.get(metrics.size() - 1));
        assertThat(end.path("not_compiled").isNull()).isTrue();
        assertThat(end.path("nd4j_operations").fieldNames())
                .toIterable()
                .as("only masks and counts of labels")
                .isSubsetOf("cast", "reduce_sum", "equals", "add");
        assertThat(metrics.stream()
                        .map(Json::parse)
                        .filter(line -> line.path("event").asText().equals("step")))
                .hasSize(4);
        assertThat(Json.parse(Files.readString(run.resolve("summary.json")))).isEqualTo(result.json());
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("<svg", "Fine-tuning with sorsa, rank 4", "samples/run finetune --steps 4");
    }

    @Test
    void a_folder_with_a_run_is_not_overwritten_unasked() {
        Run again = Run.of(arguments);
        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.error()).contains("is not empty", "--overwrite");
    }

    @Test
    void generate_uses_the_adapter() {
        String prompt = "Tom has 7 pens. Tom finds 5 more. How many pens now?\\n";
        Run plain = Run.of("generate", "--prompt", prompt, "--max-tokens", "20");
        assertThat(plain.out()).contains("7+5=12. Answer: 12");
        Run adapted = Run.of("generate", "--adapter", run.resolve("adapter").toString(), "--prompt", prompt, "--json");
        assertThat(adapted.exitCode()).as(adapted.err()).isZero();
        assertThat(adapted.json().get(0).path("tokens").asInt()).isPositive();
    }

    @Test
    void how_texts_became_tokens_is_said_kept_and_used_again() throws IOException {
        String characters = Files.readString(BundledModel.extract().vocabulary());
        Path tokenizer =
                Files.writeString(folder.resolve("tokenizer.json"), characters.replaceFirst("\\{", "{\"bos\": 0, "));
        Path data =
                Files.writeString(folder.resolve("x.jsonl"), "{\"prompt\": \"2+2=\", \"response\": \"4\"}\n".repeat(4));
        Path out = folder.resolve("framed");
        String model = BundledModel.extract().onnx().toString();
        Run trained = Run.of(("finetune --model " + model + " --tokenizer " + tokenizer + " --train " + data
                        + " --steps 1 --batch 2 --rank 1 --targets c_attn --eval-count 1 --bos yes --template Q{prompt} --out "
                        + out)
                .split(" "));
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        assertThat(trained.err()).contains("24 tokens", "every text begins with `<pad>` (as asked for)");
        Run written = Run.of(("generate --model " + model + " --tokenizer " + tokenizer + " --adapter "
                        + out.resolve("adapter") + " --prompt 2+2= --max-tokens 1")
                .split(" "));
        assertThat(written.exitCode()).as(written.err()).isZero();
        assertThat(written.err())
                .contains("begins with `<pad>` (as the adapter was trained), with the words `Q{prompt}`");
        Run otherwise = Run.of(("generate --model " + model + " --tokenizer " + tokenizer + " --adapter "
                        + out.resolve("adapter") + " --prompt 2+2= --max-tokens 1 --bos no --template {prompt}")
                .split(" "));
        assertThat(otherwise.err())
                .contains("nothing is put in front of a text (as asked for), with the words `{prompt}`");
    }

    @Test
    void conversations_are_learned_and_continued_by_one_template() throws IOException {
        Path data = Files.writeString(
                folder.resolve("chat.jsonl"),
                "{\"messages\": [{\"role\": \"user\", \"content\": \"2+2?\"}, {\"role\": \"assistant\", \"content\": \"4\"}]}\n"
                        .repeat(4));
        Path out = folder.resolve("chat");
        String common = "finetune --model " + BundledModel.extract().onnx() + " --tokenizer "
                + BundledModel.extract().vocabulary() + " --train " + data
                + " --steps 1 --batch 2 --rank 1 --targets c_attn --eval-count 1 --out " + out;
        Run without = Run.of(common.split(" "));
        assertThat(without.exitCode()).isEqualTo(2);
        assertThat(without.error()).contains("has no chat template", "--chat-template");
        Run trained = Run.of((common + " --chat-template chatml").split(" "));
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        assertThat(trained.err()).contains("nothing is put in front of a text (the chat template writes all of it)");
        assertThat(Files.readString(out.resolve("adapter/text_recipe.json"))).contains("<|im_start|>assistant");
        Run written = Run.of(("generate --model " + BundledModel.extract().onnx() + " --tokenizer "
                        + BundledModel.extract().vocabulary() + " --adapter " + out.resolve("adapter")
                        + " --prompt 2+2? --max-tokens 1 --stream")
                .split(" "));
        assertThat(written.exitCode()).as(written.err()).isZero();
        assertThat(written.err()).contains("as the adapter was trained", "within the chat template");
    }

    @Test
    void impossible_ways_to_choose_are_refused_before_the_model_is_loaded() {
        Run run = Run.of("generate", "--prompt", "a", "--top-k", "5");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("at temperature 0 nothing is drawn");
    }

    @Test
    void merge_writes_an_onnx_file_that_runs_elsewhere() {
        Path merged = folder.resolve("merged.onnx");
        Run merge = Run.of("merge", "--adapter", run.resolve("adapter").toString(), "--out", merged.toString());
        assertThat(merge.exitCode()).as(merge.err()).isZero();
        assertThat(OnnxVerifier.verify(merged, 1e-3, 0).passed()).isTrue();
        Run twice = Run.of("merge", "--adapter", run.resolve("adapter").toString(), "--out", merged.toString());
        assertThat(twice.exitCode()).isEqualTo(2);
        assertThat(twice.error()).contains("exists", "--overwrite");
    }

    @Test
    void merge_writes_a_samediff_file() {
        Path merged = folder.resolve("merged.fb");
        Run merge = Run.of(
                "merge",
                "--adapter",
                run.resolve("adapter").toString(),
                "--out",
                merged.toString(),
                "--format",
                "samediff");
        assertThat(merge.exitCode()).as(merge.err()).isZero();
        assertThat(org.nd4j.autodiff.samediff.SameDiff.load(merged.toFile(), false)
                        .hasVariable("logits"))
                .isTrue();
    }

    @Test
    void convert_gives_a_plain_lora_of_twice_the_rank() throws IOException {
        Path lora = folder.resolve("lora");
        Run convert = Run.of("convert", "--adapter", run.resolve("adapter").toString(), "--out", lora.toString());
        assertThat(convert.exitCode()).as(convert.err()).isZero();
        assertThat(Json.parse(Files.readString(lora.resolve("adapter_config.json")))
                        .path("r")
                        .asInt())
                .isEqualTo(8);
        Run generate = Run.of("generate", "--adapter", lora.toString(), "--prompt", "Tom", "--max-tokens", "2");
        assertThat(generate.exitCode()).as(generate.err()).isZero();
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void resume_goes_on_from_the_newest_checkpoint() throws IOException {
        String[] more = java.util.Arrays.copyOf(arguments, arguments.length + 1);
        more[arguments.length] = "--resume";
        Run resumed = Run.of(more);
        assertThat(resumed.exitCode()).as(resumed.err()).isZero();
        assertThat(resumed.json().path("steps").asInt()).isEqualTo(4);
        assertThat(resumed.json().path("eval_loss_after").asDouble())
                .isEqualTo(result.json().path("eval_loss_after").asDouble());
    }
}
