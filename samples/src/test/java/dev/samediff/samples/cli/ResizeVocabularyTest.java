package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.importer.EmbeddingTable;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that were added to a tokenizer, on the command line. */
class ResizeVocabularyTest {
    @TempDir
    Path folder;

    /** The bundled model's characters, and two more. */
    private Path tokenizer(BundledModel model) throws IOException {
        ObjectNode vocabulary = (ObjectNode) Json.parse(Files.readString(model.vocabulary()));
        ((ArrayNode) vocabulary.required("tokens")).add("{").add("}");
        return Files.writeString(folder.resolve("vocabulary.json"), vocabulary.toString());
    }

    @Test
    void new_tokens_are_refused_without_the_option_and_trained_answered_and_merged_with_it() throws IOException {
        BundledModel bundled = BundledModel.extract();
        String model = bundled.onnx().toString();
        String tokenizer = tokenizer(bundled).toString();
        Path data = Files.write(
                folder.resolve("train.jsonl"), Collections.nCopies(8, "{\"prompt\": \"{2+3}\", \"response\": \"5\"}"));
        String out = folder.resolve("run").toString();
        String[] train = {
            "finetune",
            "--method",
            "lora",
            "--model",
            model,
            "--tokenizer",
            tokenizer,
            "--train",
            data.toString(),
            "--steps",
            "3",
            "--batch",
            "4",
            "--eval-count",
            "0",
            "--out",
            out
        };
        Run refused = Run.of(train);
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("the tokenizer's 82 tokens").contains("--resize-vocabulary");

        String[] resized = Arrays.copyOf(train, train.length + 1);
        resized[train.length] = "--resize-vocabulary";
        Run trained = Run.of(resized);
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        String adapter = folder.resolve("run/adapter").toString();
        JsonNode config = Json.parse(Files.readString(Path.of(adapter, "adapter_config.json")));
        assertThat(config.required("trainable_token_indices").toString()).isEqualTo("{\"transformer.wte\":[80,81]}");

        Run written = Run.of(
                "generate",
                "--model",
                model,
                "--tokenizer",
                tokenizer,
                "--adapter",
                adapter,
                "--prompt",
                "{",
                "--max-tokens",
                "2");
        assertThat(written.exitCode()).as(written.err()).isZero();
        Path merged = folder.resolve("merged.onnx");
        Run merging = Run.of("merge", "--model", model, "--adapter", adapter, "--out", merged.toString());
        assertThat(merging.exitCode()).as(merging.err()).isZero();
        assertThat(OnnxImporter.load(merged).embeddings().stream().map(EmbeddingTable::rows))
                .contains(82);
        Run verified = Run.of("verify", merged.toString());
        assertThat(verified.exitCode()).as(verified.err()).isZero();
    }
}
