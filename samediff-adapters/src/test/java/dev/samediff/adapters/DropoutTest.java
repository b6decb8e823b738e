package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.Dropout;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.AdamW;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.ExpertGraph;
import dev.samediff.adapters.testing.SharedFiles;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Dropout of adapters' inputs: where it is, what it draws, and that it is nowhere else than in training. */
class DropoutTest {
    private static final Map<String, INDArray> FEEDS = Map.of(
            "x", ToyGraph.random(new Random(1), DataType.FLOAT, 7, 6),
            "y", ToyGraph.random(new Random(2), DataType.FLOAT, 7, 6));

    static Stream<AdapterMethod> methods() {
        return Stream.of(
                Lora.rank(2).withAlpha(6),
                OLora.rank(2),
                Pissa.rank(2),
                Sorsa.rank(2),
                Dora.rank(2),
                new Dora(Pissa.rank(2)));
    }

    private static AdaptedModel model(AdapterMethod method, double dropout) {
        AdaptedModel model = AdaptedModel.inject(
                ToyGraph.create(DataType.FLOAT, 6, 9),
                AdapterConfig.of(method).withDropout(dropout).withSeed(4));
        Map<String, INDArray> values = new LinkedHashMap<>();
        Random random = new Random(5);
        model.trainables()
                .forEach((name, value) -> values.put(
                        name,
                        value.add(ToyGraph.random(random, DataType.FLOAT, value.shape())
                                .mul(0.1))));
        model.restore(values);
        return model;
    }

    private static Map<String, INDArray> fed(double rate, long step) {
        Map<String, INDArray> fed = new LinkedHashMap<>(FEEDS);
        fed.put(Dropout.drawOf("default"), Dropout.draw(rate, 8, step, 0));
        return fed;
    }

    @ParameterizedTest
    @MethodSource("methods")
    void every_engine_drops_the_same_and_goes_back_the_same_way(AdapterMethod method) {
        AdaptedModel model = model(method, 0.4);
        Map<String, INDArray> expected = null;
        for (EveryEngine each : List.of(EveryEngine.REFERENCE, EveryEngine.COMPILED, EveryEngine.RECOMPUTING)) {
            try (Engine engine = each.open(model.graph(), "loss", model.trainableNames())) {
                Engine.Gradients whole = engine.gradients(FEEDS);
                Engine.Gradients first = engine.gradients(fed(0.4, 0));
                Engine.Gradients again = engine.gradients(fed(0.4, 0));
                Engine.Gradients second = engine.gradients(fed(0.4, 1));
                assertThatBits(again).isEqualTo(first);
                assertThat(first.loss()).isNotEqualTo(whole.loss());
                assertThat(first.loss()).isNotEqualTo(second.loss());
                Map<String, INDArray> before = expected;
                if (before != null) {
                    first.byName()
                            .forEach((name, gradient) -> assertThat(
                                            gradient.sub(Objects.requireNonNull(before.get(name)))
                                                    .amaxNumber()
                                                    .doubleValue())
                                    .as(each + " " + name)
                                    .isLessThan(1e-5));
                }
                expected = first.byName();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void the_gradients_are_those_of_finite_differences_with_the_mask(AdapterMethod method) {
        AdaptedModel model = AdaptedModel.inject(
                ToyGraph.create(DataType.DOUBLE, 6, 9),
                AdapterConfig.of(method).withDropout(0.4).withSeed(4));
        Map<String, INDArray> fed = new LinkedHashMap<>();
        fed(0.4, 0)
                .forEach((name, value) ->
                        fed.put(name, FEEDS.containsKey(name) ? value.castTo(DataType.DOUBLE) : value));
        try (Engine engine = EveryEngine.REFERENCE.open(model.graph(), "loss", model.trainableNames())) {
            for (String name : model.trainableNames()) {
                if (method instanceof Dora && !name.contains("magnitude")) {
                    continue; // no gradient goes through the lengths
                }
                double slope = engine.gradients(fed).byName().get(name).getDouble(0);
                INDArray array = model.graph().getArrForVarName(name);
                double value = array.getDouble(0);
                array.putScalar(0, value + 1e-5);
                double above = engine.gradients(fed).loss();
                array.putScalar(0, value - 1e-5);
                double below = engine.gradients(fed).loss();
                array.putScalar(0, value);
                assertThat(slope).as(name).isCloseTo((above - below) / 2e-5, within(1e-6));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void nothing_is_dropped_but_in_training(AdapterMethod method) {
        AdaptedModel with = model(method, 0.9);
        AdaptedModel without = model(method, 0);
        INDArray expected = without.graph().output(FEEDS, "out").get("out");
        for (EveryEngine each : List.of(EveryEngine.REFERENCE, EveryEngine.COMPILED)) {
            try (Engine engine = each.open(with.graph())) {
                INDArray out = engine.outputs(FEEDS, List.of("out")).get("out");
                assertThat(out.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-5);
            }
        }
        assertThat(with.graph()
                        .output(FEEDS, "out")
                        .get("out")
                        .sub(expected)
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-5);
        assertThatBits(with.mergedWeights()).isEqualTo(without.mergedWeights());
        INDArray base =
                ToyGraph.create(DataType.FLOAT, 6, 9).output(FEEDS, "out").get("out");
        with.disable();
        assertThatBits(with.graph().output(FEEDS, "out").get("out")).isEqualTo(base);
        with.enable();
        with.unload();
        assertThatBits(with.graph().output(FEEDS, "out").get("out")).isEqualTo(base);
    }

    @Test
    void without_dropout_the_graph_has_no_node_of_it_and_unloading_leaves_none() {
        SameDiff plain = model(Lora.rank(2), 0).graph();
        AdaptedModel with = model(Lora.rank(2), 0.1);
        assertThat(plain.variableMap().keySet()).noneMatch(name -> name.endsWith("/keep") || name.endsWith("/dropped"));
        assertThat(with.graph().variableMap().keySet()).anyMatch(name -> name.endsWith("/keep"));
        assertThat(with.graph().getOps().size()).isEqualTo(plain.getOps().size() + 2);
        with.unload();
        assertThat(with.graph().variableMap().keySet())
                .noneMatch(name -> name.endsWith("/keep") || name.endsWith("/dropped"));
    }

    @Test
    void a_mask_keeps_its_share_and_is_another_for_every_layer_update_and_batch() {
        INDArray draw = Dropout.draw(0.3, 1, 2, 3);
        INDArray mask = Dropout.mask(draw, Dropout.site("a/default/keep"), DataType.FLOAT, 400, 500);
        double dropped = mask.eq(0).castTo(DataType.DOUBLE).meanNumber().doubleValue();
        assertThat(dropped).isCloseTo(0.3, within(0.005));
        assertThat(mask.maxNumber().doubleValue()).isCloseTo(1 / 0.7, within(1e-6));
        assertThat(mask.castTo(DataType.DOUBLE).meanNumber().doubleValue()).isCloseTo(1, within(0.01));
        for (INDArray other :
                List.of(Dropout.draw(0.3, 9, 2, 3), Dropout.draw(0.3, 1, 3, 3), Dropout.draw(0.3, 1, 2, 4))) {
            assertThat(agreement(mask, Dropout.mask(other, Dropout.site("a/default/keep"), DataType.FLOAT, 400, 500)))
                    .isCloseTo(0.7 * 0.7 + 0.3 * 0.3, within(0.01));
        }
        assertThat(agreement(mask, Dropout.mask(draw, Dropout.site("b/default/keep"), DataType.FLOAT, 400, 500)))
                .isCloseTo(0.7 * 0.7 + 0.3 * 0.3, within(0.01));
    }

    private static double agreement(INDArray a, INDArray b) {
        return a.eq(b).castTo(DataType.DOUBLE).meanNumber().doubleValue();
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, 2, Double.NaN, Double.POSITIVE_INFINITY})
    void a_rate_that_is_no_share_is_refused(double rate) {
        assertThatThrownBy(() -> AdapterConfig.of(Lora.rank(2)).withDropout(rate))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("dropout " + rate);
    }

    @Test
    void experts_have_no_dropout_and_embeddings_ignore_it_as_in_peft() {
        SameDiff experts = ExpertGraph.stacked(DataType.FLOAT);
        assertThatThrownBy(() -> AdaptedModel.inject(
                        experts,
                        AdapterConfig.of(Lora.rank(2))
                                .withTargets(TargetSelector.suffixes(ExpertGraph.UP))
                                .withDropout(0.1)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("stack of experts")
                .hasMessageContaining("dropout 0.1");
        SameDiff embedding = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel.inject(
                embedding,
                AdapterConfig.of(Lora.rank(2))
                        .withTargets(TargetSelector.suffixes(EmbeddingGraph.TOKENS))
                        .withDropout(0.1));
        assertThat(embedding.variableMap().keySet()).noneMatch(name -> name.endsWith("/keep"));
    }

    @Test
    void it_is_saved_and_loaded_in_both_forms(@TempDir Path dir) throws IOException {
        AdapterState state = model(Lora.rank(2), 0.05).state();
        AdapterFolder.save(state, dir.resolve("native"));
        AdapterFolder.saveAsLora(state, dir.resolve("peft"));
        for (String folder : List.of("native", "peft")) {
            Path config = dir.resolve(folder).resolve("adapter_config.json");
            assertThat(new ObjectMapper()
                            .readTree(config.toFile())
                            .get("lora_dropout")
                            .asDouble())
                    .isEqualTo(0.05);
            assertThat(AdapterFolder.load(dir.resolve(folder)).config().dropout())
                    .isEqualTo(0.05);
        }
        Path config = dir.resolve("peft/adapter_config.json");
        Files.writeString(config, Files.readString(config).replace("0.05", "1.5"));
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("peft")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora_dropout");
    }

    /** PEFT's own code with its own masks, which are put in the place of the constant. */
    @TestFactory
    Stream<DynamicTest> peft() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.path("dropout").asDouble() > 0
                        && index.get("data").asText().endsWith("_randn")
                        && !index.get("conv1d").asBoolean())
                .flatMap(index -> Stream.of(Orientation.values())
                        .map(orientation -> DynamicTest.dynamicTest(
                                index.get("id").asText() + orientation, () -> peft(root, index, orientation))));
    }

    private static void peft(Path root, JsonNode index, Orientation orientation) throws IOException {
        GoldenLayer layer = new GoldenLayer(root, index, orientation, DataType.FLOAT);
        boolean dora = index.get("method").asText().equals("dora");
        Lora lora =
                Lora.rank(index.get("r").asInt()).withAlpha(index.get("alpha").asDouble());
        lora = index.get("rslora").asBoolean() ? lora.withRankStabilizedScaling() : lora;
        AdaptedModel model = AdaptedModel.inject(
                layer.graph(),
                AdapterConfig.of(dora ? new Dora(lora) : lora)
                        .withTargets(TargetSelector.suffixes(GoldenLayer.MODULE))
                        .withDropout(index.get("dropout").asDouble()));
        GraphEditor editor = new GraphEditor(layer.graph());
        String keep = layer.graph().variableMap().keySet().stream()
                .filter(name -> name.endsWith("/default/keep"))
                .findFirst()
                .orElseThrow();
        editor.replaceArray(keep, layer.golden("mask"));
        model.restore(tensors(layer, "0", dora));
        AdamW updater = new AdamW(0.01, 0.01);
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        model.trainableNames()
                .forEach(name ->
                        parameters.put(name, layer.graph().getVariable(name).getArr()));
        try (Engine engine = EveryEngine.COMPILED.open(layer.graph(), "loss", model.trainableNames())) {
            for (int step = 0; step < 20; step++) {
                Engine.Gradients gradients = engine.gradients(layer.feeds());
                double expected = layer.golden("losses").getDouble(step);
                assertThat(gradients.loss()).isCloseTo(expected, within(1e-4 * expected));
                updater.step(parameters, gradients.byName());
            }
        }
        editor.replaceArray(keep, Nd4j.ones(DataType.FLOAT, 1));
        INDArray error = layer.output().sub(layer.golden("out20"));
        assertThat(error.amaxNumber().doubleValue()).isLessThan(1e-4);
        model.restore(tensors(layer, "p", dora));
        editor.replaceArray(keep, layer.golden("mask"));
        try (Engine engine = EveryEngine.REFERENCE.open(layer.graph(), "loss", model.trainableNames())) {
            Map<String, INDArray> gradients = engine.gradients(layer.feeds()).byName();
            for (String name : List.of("A", "B")) {
                INDArray found = gradients.get(GoldenLayer.MODULE + ".lora_" + name + ".default.weight");
                assertThat(found.sub(layer.inOut("g" + name + "p")).amaxNumber().doubleValue())
                        .isLessThan(1e-5);
            }
        }
    }

    private static Map<String, INDArray> tensors(GoldenLayer layer, String suffix, boolean dora) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        for (String name : List.of("A", "B")) {
            tensors.put(GoldenLayer.MODULE + ".lora_" + name + ".default.weight", layer.inOut(name + suffix));
        }
        if (dora) {
            tensors.put(GoldenLayer.MODULE + ".lora_magnitude_vector.default.weight", layer.golden("m" + suffix));
        }
        return tensors;
    }
}
