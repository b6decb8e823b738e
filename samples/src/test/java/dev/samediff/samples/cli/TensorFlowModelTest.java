package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.OnnxVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;

/** What one does with a frozen TensorFlow graph: the commands that take an ONNX file take it too. */
class TensorFlowModelTest {
    private static final String LAYER = "gpt2.h_0.attn.c_attn";

    @TempDir
    static Path folder;

    private static Path model;
    private static Path vocabulary;

    @BeforeAll
    static void copyModel() throws IOException {
        model = folder.resolve("gpt2.pb");
        try (var stream = TensorFlowModelTest.class.getResourceAsStream("/tensorflow/gpt2.pb")) {
            Files.copy(stream, model);
        }
        vocabulary = Files.writeString(folder.resolve("vocabulary.json"), """
                {"type": "char", "pad": 0, "eos": 1, "unk": 2, "tokens": ["<pad>", "<eos>", "<unk>", "a", "b", "c", "d",
                 "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"]}
                """);
    }

    @Test
    void inspect_names_layers_by_their_variables() {
        Run run = Run.of("inspect", model.toString(), "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains(LAYER, "gpt2.h_1.mlp.c_proj", "TensorFlow", "translated");
        assertThat(run.json().path("linear_layers")).hasSize(9);
    }

    @Test
    void inspect_of_one_output_leaves_the_rest_out() {
        Run run = Run.of("inspect", model.toString(), "--outputs", "gpt2/h_0/mlp/c_fc/BiasAdd", "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.json().path("linear_layers")).hasSize(3);
        Run unknown = Run.of("inspect", model.toString(), "--outputs", "nosuch");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.error()).contains("nosuch", "logits");
    }

    @Test
    void verify_says_what_was_compared() {
        Run run = Run.of("verify", model.toString(), "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("translated to, not with TensorFlow", "up to 12 tokens");
        assertThat(run.json().path("passed").asBoolean()).isTrue();
    }

    @Test
    void an_adapter_is_trained_used_and_merged() throws IOException {
        Path train = Files.writeString(
                folder.resolve("train.jsonl"),
                "{\"prompt\": \"abc\", \"response\": \"def\"}\n{\"prompt\": \"ghi\", \"response\": \"jkl\"}\n"
                        .repeat(8));
        Path out = folder.resolve("run");
        Run trained = Run.of(
                "finetune",
                "--model",
                model.toString(),
                "--tokenizer",
                vocabulary.toString(),
                "--train",
                train.toString(),
                "--method",
                "pissa",
                "--rank",
                "2",
                "--steps",
                "6",
                "--batch",
                "4",
                "--eval-every",
                "0",
                "--lr",
                "1e-2",
                "--out",
                out.toString(),
                "--json");
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        assertThat(trained.json().path("eval_loss_after").asDouble())
                .isLessThan(trained.json().path("eval_loss_before").asDouble());
        String adapter = out.resolve("adapter").toString();
        Run written = Run.of(
                "generate",
                "--model",
                model.toString(),
                "--tokenizer",
                vocabulary.toString(),
                "--adapter",
                adapter,
                "--prompt",
                "abc",
                "--max-tokens",
                "3");
        assertThat(written.exitCode()).as(written.err()).isZero();
        Path onnx = folder.resolve("merged.onnx");
        Run merged = Run.of("merge", "--model", model.toString(), "--adapter", adapter, "--out", onnx.toString());
        assertThat(merged.exitCode()).as(merged.err()).isZero();
        assertThat(OnnxVerifier.verify(onnx, 1e-5, 1).passed()).isTrue();
        Path graph = folder.resolve("merged.fb");
        Run saved = Run.of(
                "merge",
                "--model",
                model.toString(),
                "--adapter",
                adapter,
                "--out",
                graph.toString(),
                "--format",
                "samediff");
        assertThat(saved.exitCode()).as(saved.err()).isZero();
        assertThat(SameDiff.load(graph.toFile(), false).hasVariable(LAYER + ".weight"))
                .isTrue();
    }

    @Test
    void choosing_outputs_of_an_onnx_file_is_refused() {
        Path onnx = dev.samediff.samples.model.BundledModel.extract().onnx();
        Run run = Run.of("inspect", onnx.toString(), "--outputs", "logits");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("is an ONNX model");
    }
}
