package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static dev.samediff.adapters.testing.JsonArrays.array;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
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
import org.nd4j.linalg.factory.Nd4j;

/** NEFTune takes the steps that torch takes with the same noise: src/test/python/neftune_training.py. */
class NoisyEmbeddingsTest {
    private static final JsonNode DATA = JsonArrays.tree("/train/neftune.json");
    private static final double TOLERANCE = 1e-4;

    static Stream<Arguments> cases() {
        return Stream.of(
                        EngineOptions.defaults(),
                        EngineOptions.defaults().withRecomputation(true),
                        EngineOptions.reference())
                .flatMap(engine -> StreamSupport.stream(DATA.get("cases").spliterator(), false)
                        .flatMap(json -> Stream.of(false, true).map(flat -> Arguments.of(json, flat, engine))));
    }

    /** A table of tokens, one of positions, and a head. */
    private static final class Model {
        final SameDiff graph = SameDiff.create();
        final AdaptedModel adapted;
        final TaskLoss loss;

        Model(boolean embeddings, boolean flat) {
            SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
            SDVariable table = graph.constant("wte.weight", array(DATA.get("table")));
            INDArray places = array(DATA.get("places"));
            SDVariable rows;
            if (flat) { // as frozen TensorFlow graphs look tokens up
                SDVariable looked = graph.gather("looked", table, graph.reshape(ids.castTo(DataType.INT32), -1), 0);
                rows = looked.add(graph.constant("wpe", Nd4j.tile(places, 3, 1)));
            } else {
                SDVariable looked = graph.gather("looked", table, ids, 0);
                rows = graph.reshape(looked.add(graph.constant("wpe", places)), -1, places.size(1));
            }
            SDVariable head = graph.constant("head.weight", array(DATA.get("layer")));
            SDVariable scored = graph.mmul("product", graph.math.tanh(rows), head, false, true, false);
            graph.reshape(
                    "logits", scored, graph.concat(0, graph.shape(ids), graph.constant(Nd4j.createFromArray(13L))));
            adapted = AdaptedModel.inject(
                    graph,
                    AdapterConfig.of(Lora.rank(2).withAlpha(6))
                            .withTargets(
                                    embeddings
                                            ? TargetSelector.suffixes("head", "wte")
                                            : TargetSelector.suffixes("head")));
            adapted.restore(tensors(DATA.get("start"), embeddings));
            loss = Losses.causalLm(graph, "logits");
        }
    }

    private static Map<String, INDArray> tensors(JsonNode json, boolean embeddings) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        json.fields().forEachRemaining(entry -> {
            INDArray value = array(entry.getValue());
            if (entry.getKey().startsWith("head")) {
                tensors.put(
                        entry.getKey().replace(".", ".lora_") + ".default.weight",
                        value.transpose().dup('c'));
            } else if (embeddings) {
                tensors.put(entry.getKey().replace(".", ".lora_embedding_") + ".default", value);
            }
        });
        return tensors;
    }

    private static Batches batches() {
        Batches batches = new Batches();
        for (int i = 0; i < DATA.get("ids").size(); i++) {
            INDArray labels = array(DATA.get("labels").get(i));
            batches.list.add(new MultiDataSet(
                    new INDArray[] {array(DATA.get("ids").get(i)).castTo(DataType.INT64)},
                    new INDArray[] {labels.castTo(DataType.INT32)},
                    null,
                    new INDArray[] {Nd4j.onesLike(labels)}));
        }
        return batches;
    }

    private static TrainingPlan.Builder plan(double alpha) {
        return TrainingPlan.builder()
                .steps(30)
                .learningRate(1e-2)
                .clipNorm(0)
                .accumulation(2)
                .neftune(alpha)
                .seed(DATA.get("seed").asLong());
    }

    private static AdapterTrainer trainer(Model model, TrainingPlan.Builder plan) {
        return new AdapterTrainer(model.adapted, model.loss, plan.build(), Binding.of(model.loss, "input_ids"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void the_steps_are_those_of_torch(JsonNode json, boolean flat, EngineOptions engine) {
        boolean embeddings = json.get("embeddings").asBoolean();
        Model model = new Model(embeddings, flat);
        try (AdapterTrainer trainer =
                trainer(model, plan(json.get("alpha").asDouble()).engine(engine))) {
            List<Double> losses = trainer.fit(batches(), null).losses();
            for (int i = 0; i < losses.size(); i++) {
                double expected = json.get("losses").get(i).asDouble();
                assertThat(losses.get(i)).as("loss of step %d", i).isCloseTo(expected, within(TOLERANCE * expected));
            }
        }
        tensors(json.get("end"), embeddings)
                .forEach((name, value) -> assertThat(
                                value.sub(model.adapted.trainables().get(name))
                                        .normmaxNumber()
                                        .doubleValue())
                        .as(name)
                        .isLessThan(TOLERANCE));
    }

    @Test
    void evaluations_are_without_noise_and_the_graph_is_afterwards_as_it_was() {
        Model model = new Model(false, false);
        List<String> before = List.copyOf(model.graph.variableMap().keySet());
        double quiet;
        try (AdapterTrainer trainer = trainer(model, plan(0))) {
            quiet = trainer.evaluate(batches()).loss();
        }
        try (AdapterTrainer trainer = trainer(model, plan(50))) {
            assertThat(trainer.evaluate(batches()).loss()).isEqualTo(quiet);
            assertThatThrownBy(() -> trainer(model, plan(50)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("another trainer adds noise to `looked`");
        }
        assertThat(model.graph.variableMap().keySet()).containsExactlyInAnyOrderElementsOf(before);
    }

    @Test
    void a_resumed_training_has_the_noise_of_the_uninterrupted_one(@TempDir Path dir) {
        Model whole = new Model(true, false);
        try (AdapterTrainer trainer = trainer(whole, plan(5).steps(6))) {
            trainer.fit(batches(), null);
        }
        Model interrupted = new Model(true, false);
        try (AdapterTrainer trainer = trainer(interrupted, plan(5).steps(6).checkpoints(dir, 3))) {
            trainer.fit(batches(), null, new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    if (report.step() == 3) {
                        trainer.stop();
                    }
                }
            });
        }
        Model resumed = new Model(true, false);
        try (AdapterTrainer trainer = trainer(resumed, plan(5).steps(6))) {
            trainer.resume(dir).fit(batches(), null);
        }
        assertThatBits(resumed.adapted.trainables()).isEqualTo(whole.adapted.trainables());
        try (AdapterTrainer trainer = trainer(new Model(true, false), plan(6).steps(6))) {
            assertThatThrownBy(() -> trainer.resume(dir))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("NEFTune alpha");
        }
    }

    @Test
    void the_noise_is_uniform_in_alpha_by_the_root_of_length_and_width() {
        Model model = new Model(false, false);
        EmbeddingNoise noise = EmbeddingNoise.in(model.graph, model.loss.loss());
        INDArray drawn = noise.draw(new long[] {40, 100}, 5, 1, 2, 3);
        double most = 5 / Math.sqrt(100 * 6);
        assertThat(drawn.length()).isEqualTo(40 * 100 * 6);
        assertThat(drawn.maxNumber().doubleValue()).isBetween(0.999 * most, most);
        assertThat(drawn.minNumber().doubleValue()).isBetween(-most, -0.999 * most);
        assertThat(drawn.meanNumber().doubleValue()).isCloseTo(0, within(0.02 * most));
        assertThat(drawn.stdNumber().doubleValue()).isCloseTo(most / Math.sqrt(3), within(0.01 * most));
        assertThatBits(noise.draw(new long[] {40, 100}, 5, 1, 2, 4)).isNotEqualTo(drawn);
    }

    @Test
    void a_graph_without_a_lookup_of_tokens_is_refused() {
        TinyTraining tiny = new TinyTraining();
        assertThatThrownBy(() -> tiny.trainer(TinyTraining.plan(3).neftune(5)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("looks no rows of a table up")
                .hasMessageContaining("input_ids")
                .hasMessageContaining("Train without it");
        assertThatThrownBy(() -> TinyTraining.plan(3).neftune(-1).build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("NEFTune alpha");
    }
}
