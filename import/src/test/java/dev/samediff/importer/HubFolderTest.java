package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders that are incomplete, of another kind or damaged are refused by a sentence, before any number is read. */
class HubFolderTest {
    private static final String WHOLE = "model.safetensors";
    private static final String CONFIG = "config.json";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "model_type": "qwen2" | "model_type": "bloom"                         | bloom
            "model_type": "qwen2" | "model_type": 7                               | a text
            "model_type": "qwen2" | "model_type": "qwen2", "quantization_config": {"quant_method": "awq"} | awq
            "hidden_size": 16     | "hidden_size": 0                              | hidden_size
            "hidden_size": 16     | "hidden_size": 32                             | another model
            "hidden_size": 16     | "hidden_size": 2147483648                     | hidden_size
            "vocab_size": 29      | "vocab_size": 30                              | embed_tokens
            "num_hidden_layers": 2 | "num_hidden_layers": 3                       | model.layers.2
            "num_hidden_layers": 2 | "num_hidden_layers": 1                       | model.layers.1
            "num_attention_heads": 4 | "num_attention_heads": 3                   | divisor
            "hidden_act": "silu"  | "hidden_act": "quick_gelu"                    | quick_gelu
            "tie_word_embeddings": true | "tie_word_embeddings": false            | lm_head.weight
            "rms_norm_eps": 1e-05 | "rms_norm_eps": -1                            | rms_norm_eps
            "use_sliding_window": false | "use_sliding_window": true              | use_sliding_window
            "bos_token_id": 1     | "rope_scaling": {"rope_type": "dynamic", "factor": 2} | dynamic
            "bos_token_id": 1     | "rope_scaling": {"rope_type": "linear"}       | factor
            "bos_token_id": 1     | "attn_logit_softcapping": 50.0                | attn_logit_softcapping
            "bos_token_id": 1     | "layer_types": ["linear_attention"]           | linear_attention
            Qwen2ForCausalLM      | Qwen2ForTokenClassification                   | Qwen2ForTokenClassification
            """)
    void a_configuration_that_means_another_model_is_refused_by_its_field(String old, String put, String word)
            throws IOException {
        copy("qwen2");
        String config = Files.readString(folder.resolve(CONFIG));
        assertThat(config).contains(old);
        Files.writeString(folder.resolve(CONFIG), config.replace(old, put));
        requireRefused(word);
    }

    @Test
    void files_that_are_missing_or_stand_for_others_are_named() throws IOException {
        copy("qwen2");
        byte[] whole = Files.readAllBytes(folder.resolve(WHOLE));
        Files.writeString(
                folder.resolve(WHOLE), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4000000000\n");
        requireRefused("Git LFS pointer");
        Files.write(folder.resolve(WHOLE), java.util.Arrays.copyOf(whole, whole.length - 1));
        requireRefused("truncated");
        Files.delete(folder.resolve(WHOLE));
        requireRefused("has no model.safetensors");
        Files.write(folder.resolve("pytorch_model.bin"), new byte[100]);
        requireRefused("pickle");
        Files.writeString(folder.resolve(CONFIG), "{\"model_type\": ");
        requireRefused("not valid JSON");
    }

    @Test
    void shards_must_be_complete_and_where_the_index_says() throws IOException {
        copy("llama3-shards");
        Path index = folder.resolve("model.safetensors.index.json");
        String text = Files.readString(index);
        Files.writeString(index, text.replaceFirst("model-00001", "../model-00001"));
        requireRefused("only files of the folder itself");
        Files.writeString(index, text.replaceFirst("model-00001", "model-00002"));
        requireRefused("which does not have it");
        Files.writeString(index, "{\"weight_map\": {}}");
        requireRefused("names no tensors");
        Files.writeString(index, text);
        Path second = folder.resolve("model-00002-of-00003.safetensors");
        byte[] bytes = Files.readAllBytes(second);
        Files.delete(second);
        requireRefused("is missing, of the 3 files");
        Files.write(second, bytes);
        Files.write(folder.resolve("model-00003-of-00003.safetensors"), bytes);
        requireRefused("copy the folder again");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt2",
                "gemma2",
                "phi3-partial",
                "opt-350m",
                "gpt-neox",
                "../encoders/bert-masked-lm",
                "../encoders/roberta-classification",
                "../encoders/distilbert"
            })
    void a_mutated_folder_is_read_or_refused_and_nothing_else(String name) throws IOException {
        copy(name);
        byte[] config = Files.readAllBytes(folder.resolve(CONFIG));
        byte[] tensors = Files.readAllBytes(folder.resolve(WHOLE));
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 160; i++) {
            boolean ofConfig = i % 2 == 0;
            byte[] changed = ofConfig ? config.clone() : tensors.clone();
            int limit = ofConfig ? changed.length : 2000;
            changed[random.nextInt(limit)] =
                    (byte) (random.nextBoolean() ? random.nextInt(256) : '0' + random.nextInt(10));
            Files.write(folder.resolve(ofConfig ? CONFIG : WHOLE), changed);
            try {
                HuggingFaceImporter.inspect(folder);
            } catch (InvalidInputException e) {
                refused++;
                assertThat(e.getMessage()).contains(folder.toString());
            }
            Files.write(folder.resolve(ofConfig ? CONFIG : WHOLE), ofConfig ? config : tensors);
        }
        assertThat(refused).isGreaterThan(20);
    }

    private void requireRefused(String word) {
        assertThatThrownBy(() -> HuggingFaceImporter.inspect(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(word)
                .hasMessageContaining(folder.toString());
    }

    private void copy(String name) throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/hub").resolve(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        assertThat(new String(Files.readAllBytes(folder.resolve(CONFIG)), StandardCharsets.UTF_8))
                .contains("model_type");
    }
}
