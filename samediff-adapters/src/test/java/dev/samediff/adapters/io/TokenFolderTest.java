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
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Trained rows of embeddings in folders: PEFT's trainable_token_indices. */
class TokenFolderTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String KEY =
            "base_model.model." + EmbeddingGraph.TOKENS + ".token_adapter.trainable_tokens_delta";
    private static final AdapterConfig CONFIG = AdapterConfig.of(Lora.rank(2))
            .withTargets(TargetSelector.suffixes("mlp"))
            .withTrainableTokens(11, 3, 5);

    @TempDir
    Path dir;

    private AdapterState state;
    private INDArray logits;

    @BeforeEach
    void train() {
        AdaptedModel model = AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), CONFIG);
        Map<String, INDArray> values = model.trainables();
        values.values().forEach(value -> value.addi(ToyGraph.random(new Random(1), DataType.FLOAT, value.shape())));
        model.restore(values);
        state = model.state();
        logits = logits(model);
    }

    private static INDArray logits(AdaptedModel model) {
        return model.graph()
                .output(EmbeddingGraph.feeds(DataType.FLOAT), "logits")
                .get("logits")
                .dup();
    }

    private INDArray loaded() throws IOException {
        return logits(AdaptedModel.inject(
                EmbeddingGraph.create(DataType.FLOAT), Map.of(), AdapterFolder.load(dir.resolve("a"))));
    }

    private void edit(String key, String value) throws IOException {
        Path file = dir.resolve("a/adapter_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set(key, JSON.readTree(value));
        Files.writeString(file, config.toString());
    }

    @Test
    void a_folder_has_the_rows_as_peft_has_them() throws IOException {
        AdapterFolder.save(state, dir.resolve("a"));
        JsonNode config = JSON.readTree(dir.resolve("a/adapter_config.json").toFile());
        assertThat(config.get("trainable_token_indices").toString())
                .isEqualTo("{\"" + EmbeddingGraph.TOKENS + "\":[11,3,5]}");
        assertThat(config.get("modules_to_save").isNull()).isTrue();
        Map<String, INDArray> tensors =
                Safetensors.read(dir.resolve("a/adapter_model.safetensors")).tensors();
        assertThat(tensors).hasSize(3).containsKey(KEY);
        assertThatBits(new LinkedHashMap<>(Map.of(KEY, tensors.getOrDefault(KEY, Nd4j.empty(DataType.FLOAT)))))
                .isEqualTo(Map.of(KEY, state.whole().get(0).tensor()));
        assertThatBits(loaded()).isEqualTo(logits);
    }

    @Test
    void an_adapter_without_them_says_nothing_of_them() throws IOException {
        AdapterState without = new AdapterState(CONFIG.withWhole(WholeTensors.NONE), state.sites(), state.baseHash());
        AdapterFolder.saveAsLora(without, dir.resolve("a"));
        assertThat(Files.readString(dir.resolve("a/adapter_config.json"))).doesNotContain("token");
    }

    /** PEFT takes a list for the model's embedding, lists by the ends of paths, and one for the tied head, which it does not save. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "[11, 3, 5]",
                "{\"wte\": [11, 3, 5]}",
                "{\"transformer.wte\": [11, 3, 5]}",
                "{\"wte\": [11, 3, 5], \"lm_head\": [11, 3, 5]}"
            })
    void every_form_of_peft_is_read(String tokens) throws IOException {
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        edit("trainable_token_indices", tokens);
        assertThatBits(loaded()).isEqualTo(logits);
        AdapterFolder.saveAsLora(AdapterFolder.load(dir.resolve("a")), dir.resolve("b"));
        assertThat(JSON.readTree(dir.resolve("b/adapter_config.json").toFile()).get("trainable_token_indices"))
                .hasToString("{\"" + EmbeddingGraph.TOKENS + "\":[11,3,5]}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[11, 3]                | expected one list that means this module",
                "{\"wpe\": [11, 3, 5]}  | expected one list that means this module",
                "[]                     | is not supported",
                "null                   | is not supported",
                "[11, 3, \"5\"]         | an array of whole numbers",
                "[11, 3, 3]             | 3 is named twice",
                "[11, 3, -5]            | below zero",
                "7                      | an object",
                "[11, 3, 13]            | token 13 is no row"
            })
    void tokens_that_do_not_fit_the_rows_are_refused(String tokens, String reason) throws IOException {
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        edit("trainable_token_indices", tokens);
        assertThatThrownBy(this::loaded)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void a_folder_that_lost_the_rows_is_refused() throws IOException {
        AdapterState without = new AdapterState(CONFIG, state.sites(), state.baseHash());
        AdapterFolder.saveAsLora(without, dir.resolve("a"));
        edit("trainable_token_indices", "[11, 3, 5]");
        assertThatThrownBy(this::loaded)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("trainable_token_indices {=[11, 3, 5]}")
                .hasMessageContaining("no tensor");
    }

    @Test
    void the_order_of_the_tokens_is_that_of_the_rows_and_may_not_be_changed() throws IOException {
        AdapterFolder.save(state, dir.resolve("a"));
        edit("trainable_token_indices", "{\"" + EmbeddingGraph.TOKENS + "\": [3, 5, 11]}");
        assertThatThrownBy(this::loaded)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`trainable_token_indices` is ");
    }

    @Test
    void whole_tables_and_rows_of_two_embeddings_are_kept_by_every_method() throws IOException {
        AdaptedModel model = AdaptedModel.inject(
                EmbeddingGraph.create(DataType.FLOAT),
                AdapterConfig.of(Sorsa.rank(2))
                        .withTargets(TargetSelector.suffixes("mlp"))
                        .withTrainableTokens(2)
                        .withModulesToSave("wpe"));
        Map<String, INDArray> values = model.trainables();
        values.values().forEach(value -> value.addi(0.25));
        model.restore(values);
        for (boolean peft : List.of(true, false)) {
            if (peft) {
                AdapterFolder.saveAsLora(model.state(), dir.resolve("a"));
            } else {
                AdapterFolder.save(model.state(), dir.resolve("a"));
            }
            INDArray found = loaded();
            assertThat(found.sub(logits(model)).normmaxNumber().doubleValue()).isLessThan(1e-5);
        }
    }
}
