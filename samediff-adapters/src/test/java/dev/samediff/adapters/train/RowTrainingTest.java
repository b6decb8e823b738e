package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static dev.samediff.adapters.testing.JsonArrays.array;
import static dev.samediff.adapters.testing.JsonArrays.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
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
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Rows of an embedding, and whole embeddings, take the steps that torch takes. Expected numbers: src/test/python/token_rows.py.
 */
class RowTrainingTest {
    private static final List<JsonNode> CASES = JsonArrays.list("/train/rows.json");

    @TempDir
    Path dir;

    static Stream<Arguments> cases() {
        return Stream.of(EngineOptions.defaults(), EngineOptions.reference())
                .flatMap(engine -> CASES.stream().map(json -> Arguments.of(name(json), engine.kind(), json, engine)));
    }

    static Stream<Arguments> files() {
        return CASES.stream().map(json -> Arguments.of(name(json), json));
    }

    private static String name(JsonNode json) {
        return json.get("tokens") + (json.get("tied").asBoolean() ? " tied" : "");
    }

    private static SameDiff graph(JsonNode json) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable table = graph.constant("wte.weight", array(json.get("table")));
        SDVariable head = json.get("tied").asBoolean() ? table : graph.constant("head.weight", array(json.get("head")));
        SDVariable weight = graph.constant("dense.weight", array(json.get("weight")));
        SDVariable x = graph.reshape("x", graph.gather("looked_up", table, ids, 0), -1, 6);
        SDVariable h = graph.math.tanh("h", graph.mmul("product", x, weight, false, true, false));
        SDVariable scores = graph.mmul("scores", h, head, false, true, false);
        graph.reshape("logits", scores, graph.concat(0, graph.shape(ids), graph.constant(Nd4j.createFromArray(9L))));
        return graph;
    }

    private static AdapterConfig config(JsonNode json) {
        AdapterConfig lora = AdapterConfig.of(Lora.rank(2).withAlpha(4)).withTargets(TargetSelector.suffixes("dense"));
        int[] tokens = ints(json.get("tokens"));
        return tokens.length == 0 ? lora.withModulesToSave("wte") : lora.withTrainableTokens(tokens);
    }

    private static AdaptedModel started(JsonNode json) {
        AdaptedModel model = AdaptedModel.inject(graph(json), config(json));
        model.restore(expected(model, json.get("start")));
        return model;
    }

    private static Map<String, INDArray> expected(AdaptedModel model, JsonNode values) {
        Map<String, INDArray> expected = new LinkedHashMap<>();
        expected.put("dense.lora_A.default.weight", array(values.get("A")).transpose());
        expected.put("dense.lora_B.default.weight", array(values.get("B")).transpose());
        boolean whole = model.trainableNames().contains(AdapterTensors.table("wte", "default"));
        expected.put(
                whole ? AdapterTensors.table("wte", "default") : AdapterTensors.rows("wte", "default"),
                array(values.get("rows")));
        return expected;
    }

    private static MultiDataSet batch(JsonNode json) {
        return new MultiDataSet(
                array(json.get("ids")).castTo(DataType.INT64),
                array(json.get("labels")).castTo(DataType.INT32));
    }

    private static void train(AdaptedModel model, JsonNode json, EngineOptions engine) {
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        TrainingPlan plan = TrainingPlan.builder()
                .steps(5)
                .learningRate(1e-2)
                .weightDecay(0.01)
                .engine(engine)
                .build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids"))) {
            TrainingResult result = trainer.fit(new SingletonMultiDataSetIterator(batch(json)), null);
            for (int i = 0; i < 5; i++) {
                assertThat(result.losses().get(i))
                        .as("loss of step %d", i)
                        .isCloseTo(json.get("losses").get(i).asDouble(), within(1e-5));
            }
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void the_steps_are_those_of_torch(String tokens, EngineOptions.Kind kind, JsonNode json, EngineOptions engine) {
        AdaptedModel model = started(json);
        train(model, json, engine);
        Map<String, INDArray> trained = model.trainables();
        Map<String, INDArray> expected = expected(model, json.get("end"));
        assertThat(trained.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, value) ->
                assertThat(distance(value, trained.get(name))).as(name).isLessThan(1e-5));
        assertThatBits(model.graph().getArrForVarName("wte.weight")).isEqualTo(array(json.get("table")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void what_was_trained_is_saved_loaded_and_merged(String tokens, JsonNode json) throws IOException {
        AdaptedModel model = started(json);
        train(model, json, EngineOptions.defaults());
        INDArray expected = logits(model.graph(), json);
        assertThat(distance(expected, logits(graph(json), json))).isGreaterThan(1e-2);
        assertThat(distance(logits(model.mergedGraph(), json), expected)).isLessThan(1e-5);
        model.merge();
        assertThat(distance(logits(model.graph(), json), expected)).isLessThan(1e-5);
        model.unmerge();
        AdapterFolder.save(model.state(), dir.resolve("native"));
        AdapterFolder.saveAsLora(model.state(), dir.resolve("peft"));
        for (String folder : List.of("native", "peft")) {
            AdapterState state = AdapterFolder.load(dir.resolve(folder));
            AdaptedModel loaded = AdaptedModel.inject(graph(json), Map.of(), state);
            assertThatBits(logits(loaded.graph(), json)).as(folder).isEqualTo(expected);
        }
    }

    /** Plain SameDiff: from the graph as it is, and from the same one saved and loaded. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void plain_fit_takes_the_same_steps_also_from_a_saved_graph(String tokens, JsonNode json) throws IOException {
        AdaptedModel model = started(json);
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        model.useLoss(loss.loss());
        Path file = dir.resolve("graph.sd");
        model.graph().save(file.toFile(), false);
        AdaptedModel engine = started(json);
        TaskLoss same = Losses.causalLm(engine.graph(), "logits");
        Map<String, INDArray> byEngine;
        try (Engine opened =
                Engines.open(engine.graph(), same.loss(), engine.trainableNames(), EngineOptions.defaults())) {
            byEngine = opened.gradients(Map.of(
                            "input_ids",
                            batch(json).getFeatures(0),
                            same.labels(),
                            batch(json).getLabels(0),
                            same.mask(),
                            Nd4j.ones(DataType.FLOAT, 2, 4)))
                    .byName();
        }
        Map<String, INDArray> start = model.trainables();
        for (SameDiff graph : List.of(model.graph(), SameDiff.load(file.toFile(), false))) {
            graph.setTrainingConfig(new TrainingConfig.Builder()
                    .updater(new Sgd(0.5))
                    .dataSetFeatureMapping("input_ids")
                    .dataSetLabelMapping(loss.labels())
                    .dataSetLabelMaskMapping(loss.mask())
                    .build());
            graph.fit(
                    new SingletonMultiDataSetIterator(new MultiDataSet(
                            batch(json).getFeatures(), batch(json).getLabels(), null, new INDArray[] {
                                Nd4j.ones(DataType.FLOAT, 2, 4)
                            })),
                    1);
            start.forEach((name, value) -> assertThat(distance(
                            graph.getArrForVarName(name),
                            value.sub(byEngine.get(name).mul(0.5))))
                    .as(name)
                    .isLessThan(1e-5));
        }
    }

    private static INDArray logits(SameDiff graph, JsonNode json) {
        return graph.output(Map.of("input_ids", batch(json).getFeatures(0)), "logits")
                .get("logits")
                .dup();
    }

    private static double distance(INDArray a, INDArray b) {
        return a.sub(b).normmaxNumber().doubleValue();
    }
}
