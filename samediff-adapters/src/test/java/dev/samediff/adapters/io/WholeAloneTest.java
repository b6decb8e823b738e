package dev.samediff.adapters.io;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters without low-rank factors: biases alone (BitFit), rows of embeddings alone (PEFT's TRAINABLE_TOKENS). */
class WholeAloneTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final AdapterConfig BIASES =
            AdapterConfig.ofWhole(WholeTensors.NONE.withBias(WholeTensors.Bias.ALL));
    private static final AdapterConfig TOKENS =
            AdapterConfig.ofWhole(WholeTensors.NONE.withTokens(WholeTensors.MAIN_TABLE, List.of(11, 3, 5)));

    @TempDir
    Path dir;

    private static void move(AdaptedModel model) {
        Map<String, INDArray> values = model.trainables();
        values.values().forEach(value -> value.addi(ToyGraph.random(new Random(1), DataType.FLOAT, value.shape())));
        model.restore(values);
    }

    private static INDArray logits(SameDiff graph) {
        return graph.output(EmbeddingGraph.feeds(DataType.FLOAT), "logits")
                .get("logits")
                .dup();
    }

    @Test
    void biases_alone_are_trained_merged_and_taken_back() {
        SameDiff graph = TrainedAdapters.graph();
        INDArray base = TrainedAdapters.output(graph);
        AdaptedModel model = AdaptedModel.inject(graph, BIASES);
        assertThat(model.trainableNames()).containsExactlyInAnyOrder(ToyGraph.UP + ".bias", ToyGraph.DOWN + ".bias");
        assertThat(model.sites()).isEmpty();
        assertThat(model.summary()).contains(ToyGraph.UP + ".bias").doesNotContain("left out");
        move(model);
        INDArray adapted = TrainedAdapters.output(graph);
        assertThat(TrainedAdapters.maxDifference(adapted, base)).isGreaterThan(0.01);
        model.merge();
        assertThatBits(TrainedAdapters.output(graph)).isEqualTo(adapted);
        assertThat(model.mergedWeights()).containsOnlyKeys(ToyGraph.UP + ".bias", ToyGraph.DOWN + ".bias");
        assertThatBits(TrainedAdapters.output(model.unload())).isEqualTo(base);
    }

    @Test
    void a_folder_of_biases_looks_for_no_layers_in_peft_and_is_read_in_both_forms() throws IOException {
        AdaptedModel model = AdaptedModel.inject(TrainedAdapters.graph(), BIASES);
        move(model);
        INDArray adapted = TrainedAdapters.output(model.graph());
        AdapterFolder.save(model.state(), dir.resolve("a"));
        AdapterFolder.saveAsLora(model.state(), dir.resolve("plain"));
        JsonNode config = JSON.readTree(dir.resolve("plain/adapter_config.json").toFile());
        assertThat(config.get("peft_type").asText()).isEqualTo("LORA");
        assertThat(config.get("bias").asText()).isEqualTo("all");
        assertThat(config.get("target_modules").asText()).isEqualTo("dummy-target-modules");
        for (String folder : List.of("a", "plain")) {
            SameDiff graph = TrainedAdapters.graph();
            AdaptedModel.inject(graph, Map.of(), AdapterFolder.load(dir.resolve(folder)));
            assertThatBits(TrainedAdapters.output(graph)).isEqualTo(adapted);
        }
    }

    @Test
    void rows_of_embeddings_alone_are_trainable_tokens_of_peft() throws IOException {
        AdaptedModel model = AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), TOKENS);
        move(model);
        INDArray adapted = logits(model.graph());
        AdapterFolder.save(model.state(), dir.resolve("a"));
        AdapterFolder.saveAsLora(model.state(), dir.resolve("plain"));
        JsonNode config = JSON.readTree(dir.resolve("plain/adapter_config.json").toFile());
        assertThat(config.get("peft_type").asText()).isEqualTo("TRAINABLE_TOKENS");
        assertThat(config.get("token_indices")).hasToString("[11,3,5]");
        assertThat(config.get("target_modules")).hasToString("[\"" + EmbeddingGraph.TOKENS + "\"]");
        assertThat(Safetensors.read(dir.resolve("plain/adapter_model.safetensors"))
                        .tensors())
                .containsOnlyKeys("base_model.model." + EmbeddingGraph.TOKENS + ".trainable_tokens_delta");
        for (String folder : List.of("a", "plain")) {
            AdapterState loaded = AdapterFolder.load(dir.resolve(folder));
            SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
            AdaptedModel again = AdaptedModel.inject(graph, Map.of(), loaded);
            assertThatBits(logits(graph)).isEqualTo(adapted);
            again.disable();
            assertThatBits(logits(graph)).isEqualTo(logits(EmbeddingGraph.create(DataType.FLOAT)));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"token_indices | [11,3] | a row for each of the 2", "peft_type | \"LORA\" | is not supported"})
    void a_folder_of_tokens_that_was_changed_is_refused(String key, String value, String message) throws IOException {
        AdaptedModel model = AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), TOKENS);
        AdapterFolder.saveAsLora(model.state(), dir.resolve("a"));
        Path file = dir.resolve("a/adapter_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set(key, JSON.readTree(value));
        Files.writeString(file, config.toString());
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(message);
    }

    @Test
    void the_order_of_tokens_is_noticed_beside_a_native_form() throws IOException {
        AdaptedModel model = AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), TOKENS);
        AdapterFolder.save(model.state(), dir.resolve("a"));
        Path file = dir.resolve("a/adapter_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set("token_indices", JSON.readTree("[3,11,5]"));
        Files.writeString(file, config.toString());
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("token_indices");
    }

    @Test
    void an_adapter_of_nothing_is_refused() {
        assertThatThrownBy(() -> AdaptedModel.inject(TrainedAdapters.graph(), AdapterConfig.ofWhole(WholeTensors.NONE)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("trains nothing whole");
    }
}
