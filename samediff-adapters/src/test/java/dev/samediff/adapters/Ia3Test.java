package dev.samediff.adapters;

import static dev.samediff.adapters.Ia3Graph.METHOD;
import static dev.samediff.adapters.Ia3Graph.distance;
import static dev.samediff.adapters.Ia3Graph.feeds;
import static dev.samediff.adapters.Ia3Graph.graph;
import static dev.samediff.adapters.Ia3Graph.output;
import static dev.samediff.adapters.Ia3Graph.perturb;
import static dev.samediff.adapters.Ia3Graph.random;
import static dev.samediff.adapters.Ia3Graph.trained;
import static dev.samediff.adapters.Ia3Graph.variable;
import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Ia3;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.AdamW;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.EveryEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
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
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** (IA)^3 as PEFT computes it: {@code y = l (x W + b)}, or {@code y = (x l) W + b} of a feed-forward layer. */
class Ia3Test {
    @TempDir
    Path folder;

    static Stream<Arguments> forms() {
        return Stream.of(Orientation.values())
                .flatMap(orientation -> Stream.of(true, false).map(biases -> Arguments.of(orientation, biases)));
    }

    /** The formulas written out, in float64: what comes out, both gradients, and the merged tensors. */
    @ParameterizedTest
    @MethodSource("forms")
    void outputs_gradients_and_merged_tensors_are_those_of_the_formula(Orientation orientation, boolean biases) {
        SameDiff graph = graph(DataType.DOUBLE, orientation, biases);
        Map<String, INDArray> feeds = feeds(DataType.DOUBLE);
        INDArray up = orientation
                .asInOut(graph.getVariable("block.up.weight").getArr())
                .dup();
        INDArray down = orientation
                .asInOut(graph.getVariable("block.down.weight").getArr())
                .dup();
        INDArray upBias = biases ? graph.getVariable("block.up.bias").getArr().dup() : Nd4j.zeros(DataType.DOUBLE, 7);
        INDArray downBias =
                biases ? graph.getVariable("block.down.bias").getArr().dup() : Nd4j.zeros(DataType.DOUBLE, 4);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(METHOD));
        perturb(model);
        INDArray outs = model.trainables().get(variable(model, "up"));
        INDArray ins = model.trainables().get(variable(model, "down"));
        assertThat(outs.shape()).containsExactly(7);
        assertThat(ins.shape()).containsExactly(7);

        INDArray x = feeds.get("x");
        INDArray before = x.mmul(up).addRowVector(upBias);
        INDArray hidden = Transforms.tanh(before.mulRowVector(outs), true);
        INDArray expected = hidden.mulRowVector(ins).mmul(down).addRowVector(downBias);
        assertThat(distance(output(graph, feeds), expected)).isLessThan(1e-12);

        INDArray g = expected.sub(feeds.get("y")).mul(2.0 / expected.length());
        INDArray ofHidden = g.mmul(down.transpose());
        INDArray ofIns = hidden.mul(ofHidden).sum(0);
        INDArray ofOuts = ofHidden.mulRowVector(ins)
                .mul(hidden.mul(hidden).rsub(1))
                .mul(before)
                .sum(0);
        Map<String, INDArray> gradients = graph.calculateGradients(feeds, model.trainableNames());
        assertThat(distance(gradients.get(variable(model, "down")), ofIns)).isLessThan(1e-12);
        assertThat(distance(gradients.get(variable(model, "up")), ofOuts)).isLessThan(1e-12);

        Map<String, INDArray> merged = model.mergedWeights();
        assertThat(distance(orientation.asInOut(merged.get("block.up.weight")), up.mulRowVector(outs)))
                .isLessThan(1e-12);
        assertThat(distance(orientation.asInOut(merged.get("block.down.weight")), down.mulColumnVector(ins)))
                .isLessThan(1e-12);
        assertThat(merged.containsKey("block.up.bias")).isEqualTo(biases);
        if (biases) {
            assertThat(distance(merged.get("block.up.bias"), upBias.mul(outs))).isLessThan(1e-12);
        }
        assertThat(merged).doesNotContainKey("block.down.bias");
        assertThat(distance(output(model.mergedGraph(), feeds), expected)).isLessThan(1e-12);
        assertThat(model.updates()).allMatch(LowRankUpdate::isReplacement);
        model.merge();
        assertThat(distance(output(graph, feeds), expected)).isLessThan(1e-12);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void the_engines_agree_and_the_step_is_compiled_whole(Orientation orientation, boolean biases) {
        SameDiff graph = graph(DataType.FLOAT, orientation, biases);
        Map<String, INDArray> feeds = feeds(DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(METHOD));
        perturb(model);
        try (Engine compiled = EveryEngine.COMPILED.open(graph, "loss", model.trainableNames());
                Engine reference = EveryEngine.REFERENCE.open(graph, "loss", model.trainableNames())) {
            compiled.gradients(feeds);
            Map<String, INDArray> gradients = compiled.gradients(feeds).byName();
            reference
                    .gradients(feeds)
                    .byName()
                    .forEach((name, expected) -> assertThat(distance(gradients.get(name), expected))
                            .as(name)
                            .isLessThan(1e-6));
            ExecutionReport report = compiled.report().orElseThrow();
            assertThat(report.notCompiled()).isEmpty();
            assertThat(report.operations()).isEmpty();
        }
    }

    @Test
    void it_trains() {
        SameDiff graph = graph(DataType.FLOAT, Orientation.IN_OUT, true);
        Map<String, INDArray> feeds = feeds(DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(METHOD));
        AdamW updater = new AdamW(0.05, 0);
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        model.trainableNames()
                .forEach(name -> parameters.put(name, graph.getVariable(name).getArr()));
        try (Engine engine = EveryEngine.COMPILED.open(graph, "loss", model.trainableNames())) {
            double first = engine.gradients(feeds).loss();
            for (int step = 0; step < 40; step++) {
                updater.step(parameters, engine.gradients(feeds).byName());
            }
            assertThat(engine.gradients(feeds).loss()).isLessThan(first * 0.8);
        }
    }

    @Test
    void what_factors_cannot_express_is_refused_by_name() {
        AdapterState state = trained();
        List<Consumer<AdapterState>> conversions = List.of(
                ToLora::exact,
                each -> ToLora.ofRank(each, 2),
                each -> save(() -> AdapterFolder.saveAsLora(each, folder.resolve("lora"))));
        for (Consumer<AdapterState> conversion : conversions) {
            assertThatThrownBy(() -> conversion.accept(state))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("block.up")
                    .hasMessageContaining("ia3")
                    .hasMessageContaining("merge");
        }
        AdapterState plain = AdaptedModel.inject(
                        graph(DataType.FLOAT, Orientation.OUT_IN, true), AdapterConfig.of(METHOD))
                .state();
        assertThatThrownBy(() -> AdapterSum.of("sum", List.of(new AdapterSum.Weighted(plain, 1))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("ia3");
    }

    private interface Saving {
        void run() throws IOException;
    }

    private static void save(Saving saving) {
        try {
            saving.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void another_adapter_on_the_same_layer_cannot_be_active_too() {
        SameDiff graph = graph(DataType.FLOAT, Orientation.IN_OUT, true);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(METHOD).withName("first"));
        model.add(AdapterConfig.of(Lora.rank(2)).withName("second").withTargets(TargetSelector.suffixes("up")));
        assertThatThrownBy(() -> model.activate("first", "second"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("first")
                .hasMessageContaining("second")
                .hasMessageContaining("ia3");
    }

    @Test
    void dropout_embeddings_biases_and_an_alpha_are_refused() {
        SameDiff graph = graph(DataType.FLOAT, Orientation.IN_OUT, true);
        List<AdapterConfig> configs = List.of(
                AdapterConfig.of(METHOD).withDropout(0.1),
                AdapterConfig.of(METHOD).withBias(WholeTensors.Bias.ALL));
        for (AdapterConfig config : configs) {
            assertThatThrownBy(() -> AdaptedModel.inject(graph, config))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("ia3");
        }
        SameDiff table = EmbeddingGraph.create(DataType.FLOAT);
        assertThatThrownBy(() -> AdaptedModel.inject(
                        table, AdapterConfig.of(METHOD).withTargets(TargetSelector.suffixes("wte"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("wte");
        assertThatThrownBy(() -> AdapterMethods.named("ia3", 8, OptionalDouble.of(16), Map.of()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("alpha");
    }

    /** Two layers that add one bias, as optimisers of files leave equal ones. */
    private static SameDiff sharing() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable bias = graph.var("shared", random(DataType.FLOAT, 3));
        SDVariable first = graph.mmul("p", x, graph.var("a.weight", random(DataType.FLOAT, 3, 3)))
                .add("s", bias);
        graph.mmul("q", first, graph.var("b.weight", random(DataType.FLOAT, 3, 3)))
                .add("out", bias);
        return graph;
    }

    @Test
    void a_bias_that_two_layers_share_is_scaled_for_one_of_them_and_not_merged() {
        for (AdapterMethod method : List.of(Ia3.ofFeedforward(), BiasedLora.rank(2))) {
            SameDiff graph = sharing();
            AdaptedModel model =
                    AdaptedModel.inject(graph, AdapterConfig.of(method).withTargets(TargetSelector.suffixes("b")));
            perturb(model);
            INDArray x = random(DataType.FLOAT, 2, 3);
            INDArray before = output(graph, Map.of("x", x));
            assertThatThrownBy(model::merge)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("[a, b]")
                    .hasMessageContaining("shared");
            assertThatBits(output(graph, Map.of("x", x))).isEqualTo(before);
        }
        SameDiff graph = sharing();
        INDArray x = random(DataType.FLOAT, 2, 3);
        INDArray base = output(graph, Map.of("x", x));
        AdaptedModel model = AdaptedModel.inject(
                graph, AdapterConfig.of(Ia3.ofFeedforward()).withTargets(TargetSelector.suffixes("b")));
        model.restore(Map.of(variable(model, "b"), Nd4j.valueArrayOf(new long[] {3}, 2.0, DataType.FLOAT)));
        assertThat(distance(output(graph, Map.of("x", x)), base.mul(2))).isLessThan(1e-6);
    }

    @Test
    void settings_say_what_is_feed_forward() {
        for (Ia3 method : List.of(METHOD, Ia3.usual(), Ia3.ofFeedforward())) {
            assertThat(AdapterMethods.named("ia3", 8, OptionalDouble.empty(), method.settings()))
                    .isEqualTo(method);
        }
        AdaptedModel model =
                AdaptedModel.inject(graph(DataType.FLOAT, Orientation.IN_OUT, true), AdapterConfig.of(METHOD));
        assertThat(model.sites())
                .extracting(site -> site.trainables().keySet().iterator().next())
                .containsExactly("ia3_out", "ia3_in");
    }
}
