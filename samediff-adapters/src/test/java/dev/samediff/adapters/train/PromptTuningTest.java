package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static dev.samediff.adapters.testing.JsonArrays.array;
import static dev.samediff.adapters.testing.JsonArrays.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.VirtualTokens;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Virtual tokens take the steps that torch takes, and are kept in PEFT's files. Expected numbers: src/test/python/prompt_tuning.py. */
class PromptTuningTest {
    private static final List<JsonNode> CASES = JsonArrays.list("/train/prompt.json");
    private static final int VIRTUAL = 3;
    private static final int LENGTH = 8;
    private static final String PROMPT = AdapterTensors.prompt("wte", "default");
    private static final AdapterConfig CONFIG =
            AdapterConfig.ofWhole(WholeTensors.NONE.withPrompt(VirtualTokens.of(VIRTUAL)));

    @TempDir
    Path dir;

    static Stream<Arguments> cases() {
        return Stream.of(EngineOptions.defaults(), EngineOptions.reference())
                .flatMap(engine -> CASES.stream()
                        .map(json -> Arguments.of(json.get("tied").asBoolean(), engine.kind(), json, engine)));
    }

    private static SameDiff graph(JsonNode json) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, LENGTH);
        SDVariable table = graph.constant("wte.weight", array(json.get("table")));
        SDVariable head = json.get("tied").asBoolean() ? table : graph.constant("head.weight", array(json.get("head")));
        SDVariable weight = graph.constant("dense.weight", array(json.get("weight")));
        SDVariable positions = graph.constant("positions", array(json.get("positions")));
        SDVariable x = graph.gather("looked_up", table, ids, 0).add("x", positions);
        SDVariable q = graph.mmul("product", graph.reshape(x, -1, 6), weight, false, true, false);
        SDVariable rows = graph.reshape("q", q, -1, LENGTH, 6);
        INDArray hidden = Nd4j.zeros(LENGTH, LENGTH);
        for (int i = 0; i < LENGTH; i++) {
            for (int j = i + 1; j < LENGTH; j++) {
                hidden.putScalar(i, j, -1e9);
            }
        }
        SDVariable scores = graph.mmul("scores", rows, rows, false, true, false)
                .div(Math.sqrt(6))
                .add("masked", graph.constant("hidden", hidden));
        SDVariable context = graph.mmul("context", graph.nn.softmax(scores, -1), rows);
        SDVariable h = graph.math.tanh("h", graph.reshape(context, -1, 6));
        graph.reshape("logits", graph.mmul("flat", h, head, false, true, false), -1, LENGTH, 9);
        return graph;
    }

    private static AdaptedModel started(JsonNode json) {
        AdaptedModel model = AdaptedModel.inject(graph(json), CONFIG);
        model.restore(Map.of(PROMPT, array(json.get("start"))));
        return model;
    }

    /** Virtual tokens before each text, and labels of the text alone. */
    private static MultiDataSet batch(JsonNode json) {
        int[] first = VirtualTokens.of(VIRTUAL).ids();
        INDArray ids = Nd4j.zeros(DataType.INT64, 2, LENGTH);
        INDArray labels = Nd4j.valueArrayOf(new long[] {2, LENGTH}, -100, DataType.INT32);
        for (int row = 0; row < 2; row++) {
            int[] text = ints(json.get("ids").get(row));
            int[] all =
                    IntStream.concat(IntStream.of(first), IntStream.of(text)).toArray();
            for (int t = 0; t < LENGTH; t++) {
                ids.putScalar(row, t, all[t]);
                if (t + 1 < LENGTH && all[t + 1] >= 0) {
                    labels.putScalar(row, t, all[t + 1]);
                }
            }
        }
        return new MultiDataSet(ids, labels);
    }

    private static void train(AdaptedModel model, JsonNode json, EngineOptions engine, int steps) {
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        TrainingPlan plan = TrainingPlan.builder()
                .steps(steps)
                .learningRate(1e-2)
                .weightDecay(0.01)
                .engine(engine)
                .build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids"))) {
            TrainingResult result = trainer.fit(new SingletonMultiDataSetIterator(batch(json)), null);
            for (int i = 0; i < steps; i++) {
                assertThat(result.losses().get(i))
                        .as("loss of step %d", i)
                        .isCloseTo(json.get("losses").get(i).asDouble(), within(1e-5));
            }
        }
    }

    @ParameterizedTest(name = "tied {0}, {1}")
    @MethodSource("cases")
    void the_steps_are_those_of_torch(boolean tied, EngineOptions.Kind kind, JsonNode json, EngineOptions engine) {
        AdaptedModel model = started(json);
        assertThat(model.trainableNames()).containsExactly(PROMPT);
        train(model, json, engine, 30);
        assertThat(model.trainables().get(PROMPT).distance2(array(json.get("end"))))
                .isLessThan(1e-4);
        assertThatBits(model.graph().getArrForVarName("wte.weight")).isEqualTo(array(json.get("table")));
    }

    private static INDArray logits(SameDiff graph, JsonNode json) {
        return logits(graph, batch(json).getFeatures(0));
    }

    private static INDArray logits(SameDiff graph, INDArray ids) {
        try (Engine engine = Engines.open(graph, "", List.of(), EngineOptions.defaults())) {
            return engine.outputs(Map.of("input_ids", ids), List.of("logits"))
                    .get("logits")
                    .dup();
        }
    }

    @Test
    void folders_keep_them_as_peft_does() throws IOException {
        JsonNode json = CASES.get(1);
        AdaptedModel model = started(json);
        train(model, json, EngineOptions.defaults(), 3);
        AdapterState state = model.state();
        assertThat(state.virtualTokens()).isEqualTo(VIRTUAL);
        Path folder = dir.resolve("adapter");
        AdapterFolder.save(state, folder);
        JsonNode config = new ObjectMapper()
                .readTree(folder.resolve("adapter_config.json").toFile());
        assertThat(config.get("peft_type").asText()).isEqualTo("PROMPT_TUNING");
        assertThat(config.get("num_virtual_tokens").asInt()).isEqualTo(VIRTUAL);
        assertThat(config.get("token_dim").asInt()).isEqualTo(6);
        INDArray expected = logits(model.graph(), json);

        AdaptedModel again = AdaptedModel.inject(graph(json), Map.of(), AdapterFolder.load(folder));
        assertThatBits(logits(again.graph(), json)).isEqualTo(expected);
        assertThat(again.state().config()).isEqualTo(state.config());

        deleteOwnForm(folder);
        AdaptedModel fromPeft = AdaptedModel.inject(graph(json), Map.of(), AdapterFolder.load(folder));
        assertThatBits(logits(fromPeft.graph(), json)).isEqualTo(expected);
    }

    /** Leaves what PEFT writes. */
    private static void deleteOwnForm(Path folder) throws IOException {
        Path own = folder.resolve("native");
        assertThat(own).isDirectory();
        try (Stream<Path> files = Files.walk(own)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "num_virtual_tokens | 4    | a row for each of the 4",
                "token_dim          | 7    | prompt_embeddings",
                "num_transformer_submodules | 2 | encoder",
                "peft_type | \"PREFIX_TUNING\" | PREFIX_TUNING"
            })
    void folders_that_say_something_else_are_refused(String key, String value, String word) throws IOException {
        Path folder = dir.resolve("adapter");
        AdapterFolder.save(started(CASES.get(0)).state(), folder);
        Path file = folder.resolve("adapter_config.json");
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config = (ObjectNode) mapper.readTree(file.toFile());
        config.set(key, mapper.readTree(value));
        deleteOwnForm(folder);
        Files.writeString(file, config.toString());
        assertThatThrownBy(() -> AdapterFolder.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(word);
    }

    @Test
    void switched_off_or_taken_out_the_graph_is_the_base_model_to_the_bit() {
        JsonNode json = CASES.get(0);
        INDArray words = Nd4j.createFromArray(new long[][] {{8, 0, 7, 3, 1, 1, 2, 0}});
        INDArray base = logits(graph(json), words);
        AdaptedModel model = started(json);
        assertThatBits(logits(model.graph(), words)).isEqualTo(base); // without virtual tokens they do nothing
        model.disable();
        assertThatBits(logits(model.graph(), words)).isEqualTo(base);
        model.enable();
        assertThatBits(logits(model.unload(), words)).isEqualTo(base);
    }

    @Test
    void samediff_itself_computes_the_same_and_adapters_take_turns() {
        JsonNode json = CASES.get(1);
        AdaptedModel model = started(json);
        INDArray expected = logits(model.graph(), json);
        Map<String, INDArray> given = Map.of("input_ids", batch(json).getFeatures(0));
        INDArray own = model.graph().output(given, "logits").get("logits");
        assertThat(own.distance2(expected)).isLessThan(1e-5);
        model.add(CONFIG.withName("other").withSeed(7));
        model.activate("other");
        assertThat(logits(model.graph(), json).distance2(expected)).isGreaterThan(0.1);
        model.remove("default");
        assertThat(logits(model.graph(), json).distance2(expected)).isGreaterThan(0.1);
        model.add(model.state("other").withName("again"));
        model.activate("again");
        model.remove("other");
        assertThat(model.graph().output(given, "logits").get("logits").distance2(logits(model.graph(), json)))
                .isLessThan(1e-5);
        assertThat(model.unload().variables().stream().map(SDVariable::name))
                .containsExactlyInAnyOrderElementsOf(
                        graph(json).variables().stream().map(SDVariable::name).toList());
    }

    @Test
    void they_start_from_a_text_or_from_drawn_tokens() {
        JsonNode json = CASES.get(0);
        INDArray table = array(json.get("table"));
        AdapterConfig text = AdapterConfig.ofWhole(
                WholeTensors.NONE.withPrompt(VirtualTokens.of(3).startingFrom(4, 7)));
        assertThatBits(AdaptedModel.inject(graph(json), text).trainables().get(PROMPT))
                .isEqualTo(table.getRows(4, 7, 4));
        INDArray one = AdaptedModel.inject(graph(json), CONFIG.withSeed(1))
                .trainables()
                .get(PROMPT);
        INDArray same = AdaptedModel.inject(graph(json), CONFIG.withSeed(1))
                .trainables()
                .get(PROMPT);
        INDArray other = AdaptedModel.inject(graph(json), CONFIG.withSeed(2))
                .trainables()
                .get(PROMPT);
        assertThatBits(one).isEqualTo(same);
        assertThat(one.distance2(other)).isGreaterThan(0);
    }

    @Test
    void beside_factors_they_have_our_own_form_alone() throws IOException {
        JsonNode json = CASES.get(0);
        AdapterConfig both = AdapterConfig.of(Lora.rank(2))
                .withTargets(TargetSelector.suffixes("dense"))
                .withWhole(WholeTensors.NONE.withPrompt(VirtualTokens.of(VIRTUAL)));
        AdaptedModel model = AdaptedModel.inject(graph(json), both);
        Path folder = dir.resolve("both");
        AdapterFolder.save(model.state(), folder);
        assertThat(folder.resolve("adapter_config.json")).doesNotExist();
        AdaptedModel again = AdaptedModel.inject(graph(json), Map.of(), AdapterFolder.load(folder));
        assertThatBits(logits(again.graph(), json)).isEqualTo(logits(model.graph(), json));
        assertThatThrownBy(() -> AdapterFolder.saveAsLora(model.state(), dir.resolve("lora")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("virtual tokens");
    }

    @Test
    void what_cannot_be_is_refused() {
        JsonNode json = CASES.get(0);
        AdaptedModel model = started(json);
        assertThatThrownBy(model::merge)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("change no weight");
        assertThatThrownBy(model::mergedWeights).isInstanceOf(InvalidInputException.class);
        model.add(CONFIG.withName("other").withSeed(3));
        assertThatThrownBy(() -> model.activate("default", "other"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("only one of them can be active");
        for (VirtualTokens wrong :
                List.of(VirtualTokens.of(2).startingFrom(9), VirtualTokens.of(2).startingFrom(0, 10))) {
            assertThatThrownBy(() -> AdaptedModel.inject(
                            graph(json), AdapterConfig.ofWhole(WholeTensors.NONE.withPrompt(wrong))))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("wte");
        }
        assertThatThrownBy(() -> VirtualTokens.of(0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> AdaptedModel.inject(
                        graph(json), CONFIG.withWhole(CONFIG.whole().withTokens(WholeTensors.MAIN_TABLE, List.of(1)))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("only one of both");
    }
}
