package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.AdamW;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** LoRA with a bias beside the factors: PEFT's numbers, and the layers' own biases, which it is merged into. */
class BiasedLoraTest {
    private static final Map<String, INDArray> FEEDS = Map.of(
            "x", Nd4j.linspace(-1, 1, 10, DataType.FLOAT).reshape(2, 5),
            "y", Nd4j.zeros(DataType.FLOAT, 2, 3));

    @TempDir
    Path dir;

    /** One layer [in,out] and a mean squared error; without a bias if there is none. */
    private static SameDiff graph(INDArray w, INDArray bias, Orientation orientation) {
        SameDiff graph = SameDiff.create();
        boolean turned = orientation == Orientation.OUT_IN;
        SDVariable weight = graph.var("layer.weight", turned ? w.transpose().dup('c') : w.dup('c'));
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, w.size(0));
        SDVariable y = graph.placeHolder("y", DataType.FLOAT, -1, w.size(1));
        SDVariable product = graph.mmul("product", x, weight, false, turned, false);
        SDVariable out = bias == null ? product.mul("out", 1) : product.add("out", graph.var("any_name", bias.dup()));
        SDVariable error = out.sub("error", y);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    private static SameDiff small() {
        return graph(
                Nd4j.linspace(-0.5, 0.5, 15, DataType.FLOAT).reshape(5, 3),
                Nd4j.createFromArray(0.5f, -1f, 2f),
                Orientation.IN_OUT);
    }

    private static INDArray output(SameDiff graph) {
        return Objects.requireNonNull(graph.output(FEEDS, "out").get("out")).dup();
    }

    private static void move(AdaptedModel model, double by) {
        Map<String, INDArray> values = model.trainables();
        values.values().forEach(value -> value.addi(by));
        model.restore(values);
    }

    private static double error(INDArray actual, INDArray expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        return actual.sub(expected).amaxNumber().doubleValue()
                / Math.max(expected.amaxNumber().doubleValue(), 1e-6);
    }

    @TestFactory
    Stream<DynamicTest> outputs_gradients_steps_and_merged_tensors_are_those_of_peft() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.get("id").asText().startsWith("lora_bias/"))
                .map(index -> DynamicTest.dynamicTest(index.get("id").asText(), () -> {
                    for (Orientation orientation : Orientation.values()) {
                        golden(root, index, orientation);
                    }
                }));
    }

    private static void golden(Path root, JsonNode index, Orientation orientation) throws IOException {
        Map<String, INDArray> data =
                Npz.read(root.resolve("data/" + index.get("data").asText() + ".npz"));
        Map<String, INDArray> golden = Npz.read(root.resolve(index.get("id").asText() + ".npz"));
        SameDiff graph = graph(turned(data.get("W")), data.get("b"), orientation);
        Map<String, INDArray> feeds = Map.of("x", data.get("x"), "y", data.get("y"));
        AdaptedModel model = AdaptedModel.inject(
                graph,
                AdapterConfig.of(new BiasedLora(Lora.rank(index.get("r").asInt())
                        .withAlpha(index.get("alpha").asDouble()))));
        set(model, golden, "p");
        assertThat(error(out(graph, feeds), golden.get("outp"))).isLessThan(2e-5);
        for (EveryEngine each : List.of(EveryEngine.COMPILED, EveryEngine.REFERENCE)) {
            try (Engine engine = each.open(graph, "loss", model.trainableNames())) {
                Map<String, INDArray> gradients = engine.gradients(feeds).byName();
                assertThat(error(gradients.get(variable(model, "lora_A")), turned(golden.get("gAp"))))
                        .isLessThan(1e-4);
                assertThat(error(gradients.get(variable(model, "lora_B")), turned(golden.get("gBp"))))
                        .isLessThan(1e-4);
                assertThat(error(gradients.get(variable(model, BiasedLora.BIAS)), golden.get("gcp")))
                        .isLessThan(1e-4);
            }
        }
        set(model, golden, "0");
        AdamW updater = new AdamW(0.01, 0.01);
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        model.trainableNames()
                .forEach(name -> parameters.put(name, graph.getVariable(name).getArr()));
        try (Engine engine = EveryEngine.COMPILED.open(graph, "loss", model.trainableNames())) {
            for (int step = 0; step < 20; step++) {
                updater.step(parameters, engine.gradients(feeds).byName());
            }
        }
        assertThat(error(out(graph, feeds), golden.get("out20"))).isLessThan(1e-3);
        assertThat(error(model.mergedWeights().get("any_name"), golden.get("merged_b20")))
                .isLessThan(1e-3);
        model.merge();
        assertThat(error(out(graph, feeds), golden.get("out20_merged"))).isLessThan(1e-3);
    }

    private static INDArray out(SameDiff graph, Map<String, INDArray> feeds) {
        return Objects.requireNonNull(graph.output(feeds, "out").get("out")).dup();
    }

    private static String variable(AdaptedModel model, String shortName) {
        return Objects.requireNonNull(model.sites().get(0).trainables().get(shortName));
    }

    private static INDArray turned(INDArray array) {
        return array.transpose().dup('c');
    }

    private static void set(AdaptedModel model, Map<String, INDArray> golden, String suffix) {
        model.restore(Map.of(
                variable(model, "lora_A"),
                turned(golden.get("A" + suffix)),
                variable(model, "lora_B"),
                turned(golden.get("B" + suffix)),
                variable(model, BiasedLora.BIAS),
                golden.get("c" + suffix)));
    }

    @Test
    void merging_changes_the_bias_and_taking_it_back_puts_the_callers_array_in() {
        SameDiff graph = small();
        INDArray callers = graph.getVariable("any_name").getArr();
        INDArray bits = callers.dup();
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(BiasedLora.rank(2)));
        move(model, 0.3);
        INDArray adapted = output(graph);
        model.merge();
        assertThat(error(graph.getVariable("any_name").getArr(), bits.add(0.3))).isLessThan(1e-6);
        assertThat(error(output(graph), adapted)).isLessThan(1e-5);
        move(model, 0.1); // merged numbers follow
        assertThat(error(graph.getVariable("any_name").getArr(), bits.add(0.4))).isLessThan(1e-6);
        assertThat(error(output(model.mergedGraph()), output(graph))).isLessThan(1e-5);
        model.unmerge();
        assertThat(graph.getVariable("any_name").getArr()).isSameAs(callers);
        model.merge();
        model.unload();
        assertThat(graph.getVariable("any_name").getArr()).isSameAs(callers);
        assertThatBits(callers).isEqualTo(bits);
    }

    @Test
    void a_bias_that_is_trained_whole_gets_the_adapters_on_top() {
        SameDiff graph = small();
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(BiasedLora.rank(2)).withBias(WholeTensors.Bias.LORA_ONLY));
        AdapterConfig second =
                AdapterConfig.of(BiasedLora.rank(1)).withName("second").withTargets(TargetSelector.suffixes("layer"));
        model.add(second);
        model.activate("default", "second");
        move(model, 0.3);
        INDArray adapted = output(graph);
        INDArray expected = Nd4j.createFromArray(0.5f, -1f, 2f).add(0.3 + 0.3 + 0.3);
        assertThat(error(model.mergedWeights().get("any_name"), expected)).isLessThan(1e-6);
        assertThat(model.updates().stream().filter(each -> each.weight().equals("any_name")))
                .singleElement()
                .satisfies(update ->
                        assertThat(error(update.base().orElseThrow(), expected)).isLessThan(1e-6));
        model.merge();
        assertThat(error(output(graph), adapted)).isLessThan(1e-5);
        model.activate("second");
        INDArray alone = Nd4j.createFromArray(0.5f, -1f, 2f).add(0.3);
        assertThat(error(graph.getVariable("any_name").getArr(), alone)).isLessThan(1e-6);
        model.remove("second");
        assertThatBits(graph.getVariable("any_name").getArr()).isEqualTo(Nd4j.createFromArray(0.5f, -1f, 2f));
        model.activate("default");
        model.unmerge();
        assertThat(model.trainableNames()).contains("any_name");
    }

    @Test
    void a_layer_without_a_bias_takes_it_unmerged_only() {
        SameDiff graph = graph(Nd4j.ones(DataType.FLOAT, 5, 3), null, Orientation.OUT_IN);
        INDArray base = output(graph);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(BiasedLora.rank(2)));
        move(model, 0.3);
        INDArray adapted = output(graph);
        assertThat(error(adapted, base)).isGreaterThan(0.01);
        for (Runnable merging :
                List.<Runnable>of(model::merge, model::mergedWeights, model::updates, model::mergedGraph)) {
            assertThatThrownBy(merging::run)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("`layer` has no bias");
        }
        assertThat(model.merged()).isFalse();
        assertThatBits(output(graph)).isEqualTo(adapted);
        model.disable();
        assertThatBits(output(graph)).isEqualTo(base);
    }

    @Test
    void the_folder_is_one_of_peft_with_lora_bias() throws IOException {
        AdaptedModel model = AdaptedModel.inject(
                small(), AdapterConfig.of(new BiasedLora(Lora.rank(2).withAlpha(6))));
        move(model, 0.3);
        AdapterFolder.save(model.state(), dir.resolve("a"));
        AdapterFolder.saveAsLora(model.state(), dir.resolve("plain"));
        JsonNode config =
                new ObjectMapper().readTree(dir.resolve("a/adapter_config.json").toFile());
        assertThat(config.get("lora_bias").booleanValue()).isTrue();
        for (String folder : List.of("a", "plain")) {
            AdapterState loaded = AdapterFolder.load(dir.resolve(folder));
            assertThat(loaded.config().method().name()).isEqualTo(BiasedLora.NAME);
            SameDiff graph = small();
            AdaptedModel.inject(graph, Map.of(), loaded);
            assertThat(error(output(graph), output(model.graph()))).isLessThan(1e-6);
        }
        Path file = dir.resolve("plain/adapter_config.json");
        Files.writeString(file, Files.readString(file).replace("\"lora_bias\": true", "\"lora_bias\": false"));
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("plain")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora_bias = false");
    }

    @Test
    void sums_and_dora_refuse_it_by_name() {
        AdaptedModel model = AdaptedModel.inject(small(), AdapterConfig.of(BiasedLora.rank(2)));
        assertThatThrownBy(() -> AdapterSum.of("sum", List.of(new AdapterSum.Weighted(model.state(), 1))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora_bias");
        assertThatThrownBy(() -> new Dora(BiasedLora.rank(2)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora_bias");
    }
}
