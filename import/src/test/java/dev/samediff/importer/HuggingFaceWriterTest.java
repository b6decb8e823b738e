package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.importer.huggingface.HubFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A merged folder is the folder with other numbers, and reads as the merged model. */
class HuggingFaceWriterTest {
    @TempDir
    private Path temporary;

    private static Path folder(String name) {
        return Path.of("src/test/resources/hub").resolve(name);
    }

    private static AdaptedModel adapted(ImportedModel model, TargetSelector targets) {
        AdaptedModel adapted =
                AdaptedModel.inject(model, AdapterConfig.of(Lora.rank(2)).withTargets(targets));
        Map<String, INDArray> values = new LinkedHashMap<>(adapted.trainables());
        values.replaceAll((key, array) -> Nd4j.rand(array.shape()).subi(0.5).muli(0.4));
        adapted.restore(values);
        return adapted;
    }

    private static Map<String, INDArray> inputs(String name) throws IOException {
        Map<String, INDArray> all = Npz.read(folder(name).resolve("expected.npz"));
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        for (String input : new String[] {"input_ids", "attention_mask", "position_ids"}) {
            inputs.put(input, Npz.get(all, input));
        }
        return inputs;
    }

    private static INDArray logits(ImportedModel model, String name) throws IOException {
        return OnnxVerifier.run(model, inputs(name)).get("logits");
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).collect(Collectors.toSet());
        }
    }

    private static byte[] bytes(HubFolder folder, String tensor) throws IOException {
        HubFolder.StoredTensor stored = folder.tensors().get(tensor);
        byte[] file = Files.readAllBytes(folder.path().resolve(stored.file()));
        int start = Math.toIntExact(stored.tensor().offset());
        return Arrays.copyOfRange(
                file, start, start + Math.toIntExact(stored.tensor().length()));
    }

    @ParameterizedTest
    @CsvSource({
        "qwen3, 1e-5",
        "llama3-shards, 1e-5",
        "gpt2, 1e-5",
        "opt-350m, 1e-5",
        "gpt-neox, 1e-5",
        "phi3, 1e-5",
        "mistral, 0.02",
        "llama, 0.2",
        "gemma, 0.2"
    })
    void a_written_folder_computes_what_the_merged_model_does(String name, double tolerance) throws IOException {
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        INDArray before = logits(model, name);
        AdaptedModel adapted = adapted(model, TargetSelector.allLinear());
        INDArray merged = logits(model, name);
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        INDArray written = logits(HuggingFaceImporter.load(out), name);
        INDArray mask = Npz.get(Npz.read(folder(name).resolve("expected.npz")), "attention_mask");
        double off = 0;
        double changed = 0;
        for (int row = 0; row < mask.rows(); row++) {
            for (int at = 0; at < mask.columns(); at++) {
                if (mask.getInt(row, at) == 1) {
                    INDArray own = written.slice(row).slice(at);
                    off = Math.max(
                            off,
                            own.sub(merged.slice(row).slice(at)).amaxNumber().doubleValue());
                    changed = Math.max(
                            changed,
                            own.sub(before.slice(row).slice(at)).amaxNumber().doubleValue());
                }
            }
        }
        assertThat(off).isLessThan(tolerance);
        assertThat(changed).isGreaterThan(4 * off);
    }

    @Test
    void names_types_shards_and_bytes_of_what_was_not_adapted_stay() throws IOException {
        Path source = temporary.resolve("source");
        Files.createDirectory(source);
        for (String file : names(folder("llama3-shards"))) {
            Files.copy(folder("llama3-shards").resolve(file), source.resolve(file));
        }
        Files.writeString(source.resolve("tokenizer.json"), "{\"model\": {}}");
        Files.writeString(source.resolve("generation_config.json"), "{}");
        Files.write(source.resolve("pytorch_model.bin"), new byte[10]);
        ImportedModel model = HuggingFaceImporter.load(source);
        AdaptedModel adapted = adapted(model, TargetSelector.suffixes("q_proj"));
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        assertThat(names(out))
                .containsAll(names(folder("llama3-shards")).stream()
                        .filter(file -> file.endsWith(".json") || file.endsWith(".safetensors"))
                        .toList())
                .contains("tokenizer.json", "generation_config.json")
                .doesNotContain("pytorch_model.bin");
        HubFolder before = HubFolder.read(source);
        HubFolder after = HubFolder.read(out);
        assertThat(after.tensors().keySet()).isEqualTo(before.tensors().keySet());
        for (String tensor : before.tensors().keySet()) {
            if (tensor.contains("q_proj.weight")) {
                assertThat(bytes(after, tensor)).as(tensor).isNotEqualTo(bytes(before, tensor));
            } else {
                assertThat(bytes(after, tensor)).as(tensor).isEqualTo(bytes(before, tensor));
            }
        }
        assertThat(Files.readAllBytes(out.resolve("config.json")))
                .isEqualTo(Files.readAllBytes(source.resolve("config.json")));
    }

    @Test
    void what_has_no_place_in_the_folder_is_refused_and_nothing_is_written() throws IOException {
        Path out = temporary.resolve("merged");
        ImportedModel tied = HuggingFaceImporter.load(folder("qwen2"));
        AdaptedModel head = adapted(tied, TargetSelector.suffixes("lm_head"));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(tied, head.mergedWeights(), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tie_word_embeddings");
        ImportedModel old = HuggingFaceImporter.load(folder("gpt2"));
        AdaptedModel table = adapted(old, TargetSelector.suffixes("wte"));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(old, table.mergedWeights(), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tie_word_embeddings");
        ImportedModel half = HuggingFaceImporter.load(folder("mistral"));
        Map<String, INDArray> large = new LinkedHashMap<>(
                adapted(half, TargetSelector.suffixes("q_proj")).mergedWeights());
        large.values().iterator().next().putScalar(0, 1e6);
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(half, large, out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("HALF");
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(half, Map.of("nobody", Nd4j.ones(2, 2)), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nobody");
        assertThat(out).doesNotExist();
        ImportedModel onnx = OnnxImporter.load(new TinyModel(17)
                .input("x", org.nd4j.linalg.api.buffer.DataType.FLOAT, -1, 4)
                .node("Relu", "x", "y")
                .output("y", org.nd4j.linalg.api.buffer.DataType.FLOAT, -1, 4)
                .write(temporary));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(onnx, Map.of(), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("write it as ONNX");
    }

    @Test
    void a_foreign_folder_is_not_replaced_and_an_own_one_is() throws IOException {
        ImportedModel model = HuggingFaceImporter.load(folder("qwen3"));
        AdaptedModel adapted = adapted(model, TargetSelector.suffixes("q_proj"));
        Path foreign = Files.createDirectory(temporary.resolve("foreign"));
        Files.writeString(foreign.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), foreign))
                .isInstanceOf(InvalidInputException.class);
        assertThat(foreign.resolve("thesis.txt")).hasContent("years of work");
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        assertThat(HuggingFaceImporter.load(out).linearLayers()).isNotEmpty();
    }
}
