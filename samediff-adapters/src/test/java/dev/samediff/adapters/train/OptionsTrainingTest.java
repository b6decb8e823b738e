package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static dev.samediff.adapters.testing.JsonArrays.array;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
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
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

/** Dropout, learning rates by group and other optimisers take the steps that torch takes: src/test/python/training_options.py. */
class OptionsTrainingTest {
    private static final List<JsonNode> CASES = JsonArrays.list("/train/options.json");
    private static final double TOLERANCE = 1e-4;

    static Stream<Arguments> cases() {
        return Stream.of(
                        EngineOptions.defaults(),
                        EngineOptions.defaults().withRecomputation(true),
                        EngineOptions.reference())
                .flatMap(engine -> CASES.stream()
                        .map(json -> Arguments.of(
                                json.get("name").asText(), engine.kind(), engine.recompute(), json, engine)));
    }

    /** Two layers in both orientations, each with an adapter. */
    private static final class Model {
        final SameDiff graph = SameDiff.create();
        final AdaptedModel adapted;
        final TaskLoss loss;

        Model(JsonNode json) {
            SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 5);
            SDVariable up = graph.constant(
                    "up.weight", array(json.get("up")).transpose().dup('c'));
            SDVariable down = graph.constant("down.weight", array(json.get("down")));
            SDVariable hidden = graph.math.tanh(graph.mmul("up_product", x, up));
            graph.mmul("down_product", hidden, down, false, true, false);
            Lora lora = Lora.rank(2).withAlpha(6);
            boolean dora = json.get("dora").asBoolean();
            adapted = AdaptedModel.inject(
                    graph,
                    AdapterConfig.of(dora ? new Dora(lora) : lora)
                            .withTargets(TargetSelector.suffixes("up", "down"))
                            .withDropout(json.get("rate").asDouble()));
            adapted.restore(tensors(json.get("start")));
            loss = Losses.regression(graph, "down_product");
        }
    }

    private static Map<String, INDArray> tensors(JsonNode json) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        json.fields().forEachRemaining(entry -> {
            String module = entry.getKey().substring(0, entry.getKey().indexOf('.'));
            String name = entry.getKey().substring(module.length() + 1);
            INDArray value = array(entry.getValue());
            tensors.put(
                    module + (name.equals("m") ? ".lora_magnitude_vector" : ".lora_" + name) + ".default.weight",
                    value.rank() == 1 ? value : value.transpose().dup('c'));
        });
        return tensors;
    }

    private static Batches batches(JsonNode json) {
        Batches batches = new Batches();
        for (int i = 0; i < json.get("x").size(); i++) {
            batches.list.add(new MultiDataSet(
                    array(json.get("x").get(i)), array(json.get("y").get(i))));
        }
        return batches;
    }

    private static TrainingPlan.Builder plan(JsonNode json) {
        return TrainingPlan.builder()
                .steps(json.get("losses").size())
                .learningRate(json.get("lr").asDouble())
                .schedule(Schedule.CONSTANT)
                .weightDecay(json.get("decay").asDouble())
                .clipNorm(0)
                .accumulation(json.get("accumulate").asInt())
                .loraPlus(json.get("ratio").asDouble())
                .updater(
                        switch (json.get("optimizer").asText()) {
                            case "adam" -> new Adam();
                            case "sgd" -> new Sgd();
                            case "rmsprop" -> new RmsProp();
                            default -> null;
                        })
                .seed(3);
    }

    @Test
    void a_resumed_training_drops_what_the_uninterrupted_one_does(@TempDir Path dir) {
        JsonNode json = CASES.get(1); // accumulated, with dropout
        Model whole = new Model(json);
        fit(whole, json, plan(json).steps(6));
        Model interrupted = new Model(json);
        TrainingPlan.Builder plan = plan(json).steps(6).checkpoints(dir, 0);
        fit(interrupted, json, plan, new StopAfter(3));
        Model resumed = new Model(json);
        Binding inputs = Binding.of(resumed.loss, "x");
        try (AdapterTrainer trainer = new AdapterTrainer(resumed.adapted, resumed.loss, plan.build(), inputs)) {
            assertThat(trainer.resume(dir).fit(batches(json), null).steps()).isEqualTo(6);
        }
        assertThatBits(resumed.adapted.trainables()).isEqualTo(whole.adapted.trainables());
        Model another = new Model(json);
        fit(another, json, plan(json).steps(6).seed(4));
        assertThatBits(another.adapted.trainables()).isNotEqualTo(whole.adapted.trainables());
    }

    /** Wants a run to stop after some updates. */
    private record StopAfter(int steps, int[] seen) implements TrainingListener {
        StopAfter(int steps) {
            this(steps, new int[1]);
        }

        @Override
        public void onStep(StepReport report) {
            seen[0] = report.step();
        }

        @Override
        public boolean wantsStop() {
            return seen[0] >= steps;
        }
    }

    private static void fit(Model model, JsonNode json, TrainingPlan.Builder plan, TrainingListener... listeners) {
        Binding inputs = Binding.of(model.loss, "x");
        try (AdapterTrainer trainer = new AdapterTrainer(model.adapted, model.loss, plan.build(), inputs)) {
            trainer.fit(batches(json), null, listeners);
        }
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("cases")
    void the_steps_are_those_of_torch(
            String name, EngineOptions.Kind kind, boolean recompute, JsonNode json, EngineOptions engine) {
        Model model = new Model(json);
        TrainingPlan plan = plan(json).engine(engine).build();
        Binding inputs = Binding.of(model.loss, "x");
        try (AdapterTrainer trainer = new AdapterTrainer(model.adapted, model.loss, plan, inputs)) {
            List<Double> losses = trainer.fit(batches(json), null).losses();
            for (int i = 0; i < losses.size(); i++) {
                double expected = json.get("losses").get(i).asDouble();
                assertThat(losses.get(i)).as("loss of step %d", i).isCloseTo(expected, within(TOLERANCE * expected));
            }
        }
        Map<String, INDArray> trained = model.adapted.trainables();
        Map<String, INDArray> expected = tensors(json.get("end"));
        assertThat(trained.keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
        expected.forEach((tensor, value) -> assertThat(
                        value.sub(trained.get(tensor)).normmaxNumber().doubleValue())
                .as(tensor)
                .isLessThan(TOLERANCE * Math.max(1, value.normmaxNumber().doubleValue())));
    }
}
