package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.JsonArrays.array;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.PreferenceIterator;
import dev.samediff.adapters.text.batch.PreferencePair;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Losses over pairs and triplets take the steps that torch takes. Expected numbers: src/test/python/task_losses.py.
 */
class GroupTrainingTest {
    private static final List<JsonNode> CASES = JsonArrays.list("/train/groups.json");

    static Stream<Arguments> cases() {
        return Stream.of(EngineOptions.defaults(), EngineOptions.reference())
                .flatMap(engine -> CASES.stream()
                        .map(json -> Arguments.of(json.get("task").asText(), engine.kind(), json, engine)));
    }

    /** A dense layer with a LoRA; embeddings are the mean over tokens, logits a head on every token. */
    private static final class Model {
        final SameDiff graph = SameDiff.create();
        final AdaptedModel adapted;
        final TaskLoss loss;

        Model(JsonNode json) {
            SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, -1, 6);
            SDVariable weight = graph.constant("dense.weight", array(json.get("weight")));
            SDVariable head = graph.constant("head", array(json.get("head")));
            SDVariable rows = graph.mmul("product", graph.reshape(x, -1, 6), weight, false, true, false);
            SDVariable hidden = graph.reshape("hidden", graph.math.tanh(rows), graph.shape(x));
            hidden.mean("embedding", 1);
            SDVariable scores = graph.mmul("scores", graph.math.tanh(rows), head, false, true, false);
            SDVariable shape = graph.stack(
                    0,
                    graph.sizeAt(x, 0).castTo(DataType.INT64),
                    graph.sizeAt(x, 1).castTo(DataType.INT64),
                    graph.constant(Nd4j.scalar(DataType.INT64, 7)));
            graph.reshape(scores, shape).rename("logits");
            adapted = AdaptedModel.inject(
                    graph, AdapterConfig.of(Lora.rank(2).withAlpha(4)).withTargets(TargetSelector.suffixes("dense")));
            adapted.restore(values(json.get("start")));
            loss = switch (json.get("task").asText()) {
                case "contrastive" -> Losses.contrastive(graph, "embedding", 20);
                case "contrastive3" -> Losses.contrastive(graph, "embedding", 20, 3);
                case "triplet" -> Losses.triplet(graph, "embedding", 0.7);
                case "cosine" -> Losses.cosineSimilarity(graph, "embedding");
                case "dpo" -> Losses.dpo(graph, "logits", 0.3, 0);
                case "dpo_smoothed" -> Losses.dpo(graph, "logits", 0.3, 0.1);
                default -> Losses.orpo(graph, "logits", 0.3);
            };
        }
    }

    private static Map<String, INDArray> values(JsonNode json) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        values.put("dense.lora_A.default.weight", array(json.get("A")).transpose());
        values.put("dense.lora_B.default.weight", array(json.get("B")).transpose());
        return values;
    }

    private static INDArray[] labels(JsonNode json) {
        List<INDArray> labels = new ArrayList<>();
        if (json.get("labels").size() > 0) {
            INDArray given = array(json.get("labels"));
            labels.add(given.rank() == 1 ? given : given.castTo(DataType.INT32));
        }
        if (json.get("reference").size() > 0) {
            labels.add(array(json.get("reference")));
        }
        return labels.toArray(new INDArray[0]);
    }

    private static MultiDataSet batch(JsonNode json) {
        return new MultiDataSet(new INDArray[] {array(json.get("x"))}, labels(json));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void the_steps_are_those_of_torch(String task, EngineOptions.Kind kind, JsonNode json, EngineOptions engine) {
        Model model = new Model(json);
        TrainingPlan plan = TrainingPlan.builder()
                .steps(5)
                .learningRate(1e-2)
                .weightDecay(0.01)
                .engine(engine)
                .build();
        try (AdapterTrainer trainer =
                new AdapterTrainer(model.adapted, model.loss, plan, Binding.of(model.loss, "x"))) {
            TrainingResult result = trainer.fit(new SingletonMultiDataSetIterator(batch(json)), null);
            for (int i = 0; i < 5; i++) {
                assertThat(result.losses().get(i))
                        .as("loss of step %d", i)
                        .isCloseTo(json.get("losses").get(i).asDouble(), within(1e-5));
            }
        }
        Map<String, INDArray> trained = model.adapted.trainables();
        values(json.get("end"))
                .forEach((name, value) -> assertThat(
                                value.sub(trained.get(name)).normmaxNumber().doubleValue())
                        .as(name)
                        .isLessThan(2e-5));
    }

    /** A weight of 0 leaves an item out, twice the weight is the item twice; contrastive items still see each other's texts. */
    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void weights_are_those_of_items(String task, EngineOptions.Kind kind, JsonNode json, EngineOptions options) {
        Model model = new Model(json);
        try (Engine engine = Engines.open(model.graph, model.loss.loss(), model.adapted.trainableNames(), options)) {
            double[] single = new double[4];
            for (int i = 0; i < 4; i++) {
                single[i] = loss(engine, model, json, Nd4j.zeros(4).putScalar(i, 1));
            }
            double weighted = loss(engine, model, json, Nd4j.createFromArray(1f, 0f, 2f, 0.5f));
            assertThat(weighted).isCloseTo((single[0] + 2 * single[2] + 0.5 * single[3]) / 3.5, within(1e-5));
            assertThat(loss(engine, model, json, Nd4j.zeros(4))).isZero();
        }
    }

    private static double loss(Engine engine, Model model, JsonNode json, INDArray weights) {
        Map<String, INDArray> fed = new HashMap<>();
        fed.put("x", array(json.get("x")));
        INDArray[] labels = labels(json);
        for (int i = 0; i < labels.length; i++) {
            fed.put(model.loss.targets().get(i), labels[i]);
        }
        fed.put(model.loss.mask(), weights.castTo(DataType.FLOAT));
        return engine.gradients(fed).loss();
    }

    /** One pair, one token: the shapes that SameDiff's reductions and products get wrong. */
    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void one_item_of_one_token_has_the_slope_of_its_loss(
            String task, EngineOptions.Kind kind, JsonNode json, EngineOptions options) {
        Model model = new Model(json);
        int group = json.get("group").asInt();
        Map<String, INDArray> fed = new HashMap<>();
        INDArray x = array(json.get("x"));
        INDArray rows = Nd4j.create(DataType.FLOAT, group, 1, 6);
        for (int i = 0; i < group; i++) {
            for (int k = 0; k < 6; k++) {
                rows.putScalar(new long[] {i, 0, k}, x.getDouble(4L * i, 1, k));
            }
        }
        fed.put("x", rows);
        INDArray[] labels = labels(json);
        for (int i = 0; i < labels.length; i++) {
            boolean tokens = labels[i].rank() == 2;
            fed.put(
                    model.loss.targets().get(i),
                    tokens
                            ? Nd4j.createFromArray(new int[][] {{3}, {5}})
                            : labels[i].length() == 4 ? Nd4j.createFromArray(0.5f) : Nd4j.createFromArray(-1f, -2f));
        }
        fed.put(model.loss.mask(), Nd4j.ones(DataType.FLOAT, 1));
        try (Engine engine = Engines.open(model.graph, model.loss.loss(), model.adapted.trainableNames(), options)) {
            Engine.Gradients at = engine.gradients(fed);
            Map<String, INDArray> start = model.adapted.trainables();
            double step = 1e-2;
            double slope = 0;
            for (INDArray gradient : at.byName().values()) {
                slope += gradient.mul(gradient).sumNumber().doubleValue();
            }
            double norm = Math.sqrt(slope);
            double[] around = new double[2];
            for (int side = 0; side < 2; side++) {
                double factor = (side == 0 ? step : -step) / Math.max(norm, 1e-9);
                Map<String, INDArray> moved = new LinkedHashMap<>();
                start.forEach((name, value) ->
                        moved.put(name, value.add(at.byName().get(name).mul(factor))));
                model.adapted.restore(moved);
                around[side] = engine.gradients(fed).loss();
            }
            assertThat((around[0] - around[1]) / (2 * step)).isCloseTo(norm, within(1e-3 + 1e-2 * norm));
        }
    }

    @Test
    void what_does_not_fit_is_said_before_the_first_step() {
        JsonNode dpo = CASES.get(4);
        INDArray x = array(dpo.get("x"));
        INDArray[] right = labels(dpo);
        refused(dpo, new MultiDataSet(new INDArray[] {x}, new INDArray[] {right[0]}), "1 label arrays", "names 2");
        refused(
                dpo,
                new MultiDataSet(new INDArray[] {x.get(NDArrayIndex.interval(0, 7))}, right),
                "7 rows",
                "items of 2 rows each");
        refused(
                dpo,
                new MultiDataSet(new INDArray[] {x}, new INDArray[] {right[0].castTo(DataType.FLOAT), right[1]}),
                "label array 0",
                "INT");
        refused(
                dpo,
                new MultiDataSet(new INDArray[] {x}, right, null, new INDArray[] {Nd4j.ones(DataType.FLOAT, 8), null}),
                "label_mask",
                "[8], expected [4]");
        refused(
                dpo,
                new MultiDataSet(new INDArray[] {x}, new INDArray[] {right[0].add(8), right[1]}),
                "allowed is 0 to 6");
        JsonNode cosine = CASES.get(3);
        refused(
                cosine,
                new MultiDataSet(
                        new INDArray[] {array(cosine.get("x"))}, new INDArray[] {Nd4j.ones(DataType.FLOAT, 8)}),
                "[8], expected [4]");
        Model model = new Model(CASES.get(2));
        assertThatThrownBy(model.loss::labels)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has no labels");
        for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> Losses.contrastive(model.graph, "embedding", bad))
                    .isInstanceOf(InvalidInputException.class);
            assertThatThrownBy(() -> Losses.triplet(model.graph, "embedding", bad))
                    .isInstanceOf(InvalidInputException.class);
            assertThatThrownBy(() -> Losses.dpo(model.graph, "logits", bad, 0))
                    .isInstanceOf(InvalidInputException.class);
            assertThatThrownBy(() -> Losses.orpo(model.graph, "logits", bad)).isInstanceOf(InvalidInputException.class);
        }
        assertThatThrownBy(() -> Losses.dpo(model.graph, "logits", 0.1, 0.5)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> Losses.contrastive(model.graph, "embedding", 20, 1))
                .isInstanceOf(InvalidInputException.class);
    }

    private static void refused(JsonNode json, MultiDataSet batch, String... parts) {
        for (EngineOptions options : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            Model model = new Model(json);
            TrainingPlan plan = TrainingPlan.builder().steps(1).engine(options).build();
            try (AdapterTrainer trainer =
                    new AdapterTrainer(model.adapted, model.loss, plan, Binding.of(model.loss, "x"))) {
                assertThatThrownBy(() -> trainer.fit(new SingletonMultiDataSetIterator(batch), null))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll(parts);
            }
        }
    }

    @Test
    void a_second_call_returns_the_first_ones_loss() {
        Model dpo = new Model(CASES.get(4));
        assertThat(Losses.dpo(dpo.graph, "logits", 0.3, 0)).isEqualTo(dpo.loss);
        Model triplet = new Model(CASES.get(2));
        assertThat(Losses.triplet(triplet.graph, "embedding", 0.7)).isEqualTo(triplet.loss);
        assertThat(Losses.triplet(triplet.graph, "embedding", 0.5)).isNotEqualTo(triplet.loss);
    }

    /** The reference is the same model without its adapter, whatever is trained; nothing stays switched off. */
    @Test
    void the_reference_of_dpo_is_the_model_with_its_adapter_switched_off() {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        Nd4j.getRandom().setSeed(5);
        SDVariable table = graph.constant("wte.weight", Nd4j.randn(DataType.FLOAT, 9, 6));
        SDVariable weight = graph.constant("dense.weight", Nd4j.randn(DataType.FLOAT, 6, 9));
        SDVariable scores = graph.mmul("scores", graph.reshape(graph.gather("x", table, ids, 0), -1, 6), weight);
        SDVariable shape = graph.stack(
                0,
                graph.sizeAt(ids, 0).castTo(DataType.INT64),
                graph.sizeAt(ids, 1).castTo(DataType.INT64),
                graph.constant(Nd4j.scalar(DataType.INT64, 9)));
        graph.reshape(scores, shape).rename("logits");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        TaskLoss loss = Losses.dpo(graph, "logits", 0.5, 0);
        List<PreferencePair> pairs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            boolean[] counts = {false, false, true, true};
            pairs.add(new PreferencePair(
                    new TokenSequence(new int[] {i, 2, 3, i + 4}, counts),
                    new TokenSequence(new int[] {i, 2, 8}, new boolean[] {false, false, true})));
        }
        PreferenceIterator data =
                new PreferenceIterator(pairs, 0, BatchPlan.of(2, 16).shuffled(3));
        PreferenceIterator withReference =
                ReferenceLogProbabilities.add(model, loss, data, EngineOptions.defaults(), "input_ids");
        assertThat(model.enabled()).isTrue();
        TrainingPlan plan = TrainingPlan.builder().steps(30).learningRate(5e-2).build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids"))) {
            assertThat(trainer.evaluate(withReference).loss()).isCloseTo(Math.log(2), within(1e-5)); // p is q
            TrainingResult result = trainer.fit(withReference, withReference);
            assertThat(result.finalEvaluation().orElseThrow().loss()).isLessThan(0.3);
        }
        PreferenceIterator again =
                ReferenceLogProbabilities.add(model, loss, data, EngineOptions.reference(), "input_ids");
        again.startEpoch(0);
        withReference.startEpoch(0);
        while (again.hasNext()) {
            assertThat(again.next()
                            .getLabels(1)
                            .sub(withReference.next().getLabels(1))
                            .normmaxNumber()
                            .doubleValue())
                    .isLessThan(1e-5);
        }
        assertThatThrownBy(() -> ReferenceLogProbabilities.add(
                        model, Losses.orpo(graph, "logits", 0.1), data, EngineOptions.defaults(), "input_ids"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("only Losses.dpo");
    }

    @Test
    void labels_of_minus_100_do_not_count_where_a_batch_has_no_mask() {
        SameDiff graph = SameDiff.create();
        graph.placeHolder("x", DataType.FLOAT, -1, 3).mul("logits", 1);
        TaskLoss loss = Losses.classification(graph, "logits");
        Map<String, INDArray> fed = Binding.of(loss, "x")
                .placeholders(new MultiDataSet(Nd4j.ones(DataType.FLOAT, 3, 3), Nd4j.createFromArray(2, -100, 0)));
        assertThat(fed.get(loss.mask()).toFloatVector()).containsExactly(1, 0, 1);
    }
}
