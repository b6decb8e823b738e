package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.JsonArrays.array;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors.Bias;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

/**
 * Heads and biases that are trained whole beside a LoRA take the steps that torch takes. Expected numbers:
 * src/test/python/whole_training.py.
 */
class WholeTrainingTest {
    private static final List<JsonNode> CASES = JsonArrays.list("/train/whole.json");

    @TempDir
    Path dir;

    static Stream<Arguments> cases() {
        return Stream.of(EngineOptions.defaults(), EngineOptions.reference())
                .flatMap(engine -> CASES.stream()
                        .map(json -> Arguments.of(
                                json.get("task").asText(), json.get("pooling").asText(), engine.kind(), json, engine)));
    }

    /** A dense layer with a LoRA and its bias, a pooling and a head. */
    private static final class Model {
        final SameDiff graph = SameDiff.create();
        final String logits;
        final AdaptedModel adapted;
        final TaskLoss loss;

        Model(JsonNode json) {
            SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, -1, 6);
            graph.placeHolder("attention_mask", DataType.INT64, -1, -1);
            SDVariable weight = graph.constant("dense.weight", array(json.get("weight")));
            SDVariable bias =
                    graph.constant("dense.bias", array(json.get("start").get("bias")));
            SDVariable rows = graph.reshape(x, -1, 6);
            SDVariable dense =
                    graph.mmul("product", rows, weight, false, true, false).add("sum", bias);
            graph.reshape("hidden", graph.math.tanh(dense), graph.shape(x));
            int outputs = json.get("outputs").asInt();
            TaskHead head = new TaskHead(
                    "classifier", outputs, Pooling.valueOf(json.get("pooling").asText()), 3);
            logits = head.addTo(graph, "hidden", 6, "attention_mask");
            GraphEditor editor = new GraphEditor(graph);
            editor.replaceArray(
                    "classifier.weight",
                    array(json.get("start").get("head_weight")).transpose().dup('c'));
            editor.replaceArray("classifier.bias", array(json.get("start").get("head_bias")));
            adapted = AdaptedModel.inject(
                    graph,
                    AdapterConfig.of(Lora.rank(2).withAlpha(4))
                            .withTargets(TargetSelector.suffixes("dense"))
                            .withModulesToSave("classifier")
                            .withBias(Bias.LORA_ONLY));
            Map<String, INDArray> values = adapted.trainables();
            values.put(
                    "dense.lora_A.default.weight",
                    array(json.get("start").get("A")).transpose());
            values.put(
                    "dense.lora_B.default.weight",
                    array(json.get("start").get("B")).transpose());
            adapted.restore(values);
            loss = switch (json.get("task").asText()) {
                case "regression" -> Losses.regression(graph, logits);
                case "multiLabel" -> Losses.multiLabel(graph, logits);
                case "tokenClassification" -> Losses.tokenClassification(graph, logits);
                case "smoothed" -> Losses.classification(graph, logits, 0.1);
                default -> Losses.classification(graph, logits);
            };
        }

        AdapterTrainer trainer(EngineOptions engine, int steps) {
            TrainingPlan plan = TrainingPlan.builder()
                    .steps(steps)
                    .learningRate(1e-2)
                    .schedule(Schedule.CONSTANT)
                    .weightDecay(0.01)
                    .clipNorm(1)
                    .engine(engine)
                    .build();
            return new AdapterTrainer(adapted, loss, plan, Binding.of(loss, "x", "attention_mask"));
        }
    }

    private static SingletonMultiDataSetIterator data(JsonNode json) {
        boolean numbers =
                List.of("regression", "multiLabel").contains(json.get("task").asText());
        INDArray labels = array(json.get("labels"));
        return new SingletonMultiDataSetIterator(new MultiDataSet(
                new INDArray[] {array(json.get("x")), array(json.get("mask")).castTo(DataType.INT64)},
                new INDArray[] {numbers ? labels : labels.castTo(DataType.INT32)},
                null,
                new INDArray[] {array(json.get("label_mask"))}));
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("cases")
    void the_steps_are_those_of_torch(
            String task, String pooling, EngineOptions.Kind kind, JsonNode json, EngineOptions engine) {
        Model model = new Model(json);
        try (AdapterTrainer trainer = model.trainer(engine, 5)) {
            TrainingResult result = trainer.fit(data(json), null);
            for (int i = 0; i < 5; i++) {
                assertThat(result.losses().get(i))
                        .as("loss of step %d", i)
                        .isCloseTo(json.get("losses").get(i).asDouble(), within(1e-5));
            }
        }
        Map<String, INDArray> expected = new LinkedHashMap<>();
        JsonNode end = json.get("end");
        expected.put("dense.lora_A.default.weight", array(end.get("A")).transpose());
        expected.put("dense.lora_B.default.weight", array(end.get("B")).transpose());
        expected.put("dense.bias", array(end.get("bias")));
        expected.put("classifier.weight", array(end.get("head_weight")).transpose());
        expected.put("classifier.bias", array(end.get("head_bias")));
        Map<String, INDArray> trained = model.adapted.trainables();
        assertThat(trained.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, value) -> assertThat(
                        value.sub(trained.get(name)).normmaxNumber().doubleValue())
                .as(name)
                .isLessThan(1e-5));
    }

    @Test
    void what_was_trained_is_saved_loaded_merged_and_resumed() throws IOException {
        JsonNode json = CASES.get(0);
        Model model = new Model(json);
        try (AdapterTrainer trainer = model.trainer(EngineOptions.defaults(), 5)) {
            trainer.fit(data(json), null);
        }
        AdapterFolder.save(model.adapted.state(), dir.resolve("native"));
        AdapterFolder.saveAsLora(model.adapted.state(), dir.resolve("peft"));
        INDArray expected = logits(model.graph, model.logits, json);
        assertThat(distance(logits(model.adapted.mergedGraph(), model.logits, json), expected))
                .isLessThan(1e-6);
        for (String folder : List.of("native", "peft")) {
            AdapterState state = AdapterFolder.load(dir.resolve(folder));
            Model fresh = new Model(json);
            fresh.adapted.add(state.withName("loaded"));
            fresh.adapted.activate("loaded");
            assertThat(distance(logits(fresh.graph, fresh.logits, json), expected))
                    .as(folder)
                    .isLessThan(1e-6);
        }
    }

    @Test
    void a_checkpoint_holds_what_is_trained_whole() {
        JsonNode json = CASES.get(0);
        TrainingPlan.Builder plan =
                TrainingPlan.builder().steps(4).learningRate(1e-2).checkpoints(dir.resolve("checkpoints"), 2);
        Model all = new Model(json);
        Binding inputs = Binding.of(all.loss, "x", "attention_mask");
        try (AdapterTrainer trainer = new AdapterTrainer(all.adapted, all.loss, plan.build(), inputs)) {
            trainer.fit(data(json), null);
        }
        Model resumed = new Model(json);
        try (AdapterTrainer trainer = new AdapterTrainer(resumed.adapted, resumed.loss, plan.build(), inputs)) {
            trainer.resume(dir.resolve("checkpoints"));
            trainer.fit(data(json), null);
        }
        assertThat(distance(logits(resumed.graph, resumed.logits, json), logits(all.graph, all.logits, json)))
                .isLessThan(1e-7);
    }

    @Test
    void a_new_head_that_nobody_trains_is_refused() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 6);
        x.mmul("h", graph.var("dense.weight", Nd4j.rand(DataType.FLOAT, 6, 6)));
        TaskHead.classification(3).withPooling(Pooling.GIVEN).addTo(graph, "h", 6);
        AdapterConfig frozen = AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("dense"));
        assertThatThrownBy(() -> AdaptedModel.inject(graph, frozen))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`classifier` is new")
                .hasMessageContaining("withModulesToSave(\"classifier\")");
        assertThat(AdaptedModel.inject(graph, frozen.withModulesToSave("classifier"))
                        .trainableNames())
                .contains("classifier.weight", "classifier.bias");
    }

    @Test
    void heads_start_as_hugging_faces_do_and_the_same_for_the_same_seed() {
        SameDiff graph = SameDiff.create();
        graph.placeHolder("x", DataType.FLOAT, -1, -1, 400).mul(1).rename("h");
        TaskHead head = TaskHead.classification(50);
        assertThat(head.addTo(graph, "h", 400)).isEqualTo("logits");
        assertThat(head.withModule("second").addTo(graph, "h", 400)).isEqualTo("second/logits");
        assertThat(head.withModule("third").withSeed(1).addTo(graph, "h", 400)).isEqualTo("third/logits");
        INDArray weight = graph.getArrForVarName("classifier.weight");
        assertThat(weight.stdNumber().doubleValue()).isCloseTo(0.02, within(5e-4));
        assertThat(weight.meanNumber().doubleValue()).isCloseTo(0, within(5e-4));
        assertThat(distance(graph.getArrForVarName("second.weight"), weight)).isZero();
        assertThat(distance(graph.getArrForVarName("third.weight"), weight)).isGreaterThan(0.02);
        assertThatThrownBy(() -> head.addTo(graph, "h", 400))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has a module `classifier` already");
        assertThatThrownBy(
                        () -> head.withModule("mean").withPooling(Pooling.MEAN).addTo(graph, "h", 400))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("needs the attention mask");
        assertThatThrownBy(() -> head.withModule("x").addTo(graph, "hidden", 400))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no features `hidden`");
    }

    @Test
    void labels_of_another_shape_than_the_predictions_are_refused_before_the_first_step() {
        JsonNode json = CASES.get(5); // three numbers for each text
        Model model = new Model(json);
        MultiDataSet batch =
                new MultiDataSet(data(json).next().getFeatures(), new INDArray[] {Nd4j.zeros(DataType.FLOAT, 4, 1)});
        for (EngineOptions engine : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            try (AdapterTrainer trainer = model.trainer(engine, 1)) {
                assertThatThrownBy(() -> trainer.fit(new SingletonMultiDataSetIterator(batch), null))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("[4, 1]")
                        .hasMessageContaining("[4, 3]");
            }
        }
    }

    private static INDArray logits(SameDiff graph, String name, JsonNode json) {
        return graph.output(
                        Map.of(
                                "x",
                                array(json.get("x")),
                                "attention_mask",
                                array(json.get("mask")).castTo(DataType.INT64)),
                        name)
                .get(name);
    }

    private static double distance(INDArray a, INDArray b) {
        return a.sub(b).normmaxNumber().doubleValue();
    }
}
