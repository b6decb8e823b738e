package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.AdamW;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** DoRA against PEFT's numbers and against its formulas written out with the whole weight, in every engine. */
class DoraTest {
    private static final String MODULE = "layer";
    private static final String WEIGHT = MODULE + ".weight";

    /** A layer with a mean squared error; of whole numbers if it is an embedding. */
    private record Layer(SameDiff graph, Map<String, INDArray> feeds, Orientation orientation) {
        static Layer linear(INDArray w, INDArray x, INDArray y, INDArray bias, Orientation orientation) {
            SameDiff graph = SameDiff.create();
            boolean turned = orientation == Orientation.OUT_IN;
            SDVariable weight = graph.var(WEIGHT, turned ? w.transpose().dup('c') : w.dup('c'));
            SDVariable input = graph.placeHolder("x", w.dataType(), -1, w.size(0));
            SDVariable product = graph.mmul("product", input, weight, false, turned, false);
            return new Layer(graph, Map.of("x", x, "y", y), orientation).withLoss(product, bias, w);
        }

        static Layer embedding(INDArray w, INDArray ids, INDArray y) {
            SameDiff graph = SameDiff.create();
            SDVariable input = graph.placeHolder("x", DataType.INT, -1);
            SDVariable rows = graph.gather("product", graph.var(WEIGHT, w.dup('c')), input, 0);
            INDArray none = Nd4j.zeros(w.dataType(), w.size(1));
            return new Layer(graph, Map.of("x", ids.castTo(DataType.INT), "y", y), Orientation.IN_OUT)
                    .withLoss(rows, none, w);
        }

        private Layer withLoss(SDVariable product, INDArray bias, INDArray w) {
            SDVariable target = graph.placeHolder("y", w.dataType(), -1, w.size(1));
            SDVariable error = product.add("out", graph.constant("b", bias)).sub("error", target);
            error.mul("squares", error).mean("loss");
            graph.setLossVariables("loss");
            return this;
        }

        INDArray output() {
            return Objects.requireNonNull(graph.output(feeds, "out").get("out")).dup();
        }

        /** Merged weights [in,out]. */
        INDArray merged(AdaptedModel model) {
            return orientation.asInOut(
                    Objects.requireNonNull(model.mergedWeights().get(WEIGHT)));
        }
    }

    private static String variable(AdaptedModel model, String shortName) {
        return Objects.requireNonNull(model.sites().get(0).trainables().get(shortName));
    }

    private static double error(INDArray actual, INDArray expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        return actual.castTo(DataType.DOUBLE)
                        .sub(expected.castTo(DataType.DOUBLE))
                        .amaxNumber()
                        .doubleValue()
                / Math.max(expected.amaxNumber().doubleValue(), 1e-6);
    }

    /** PEFT's own code: forward, gradients, 20 steps of AdamW, merging. */
    @TestFactory
    Stream<DynamicTest> peft() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.get("method").asText().equals("dora"))
                .filter(index -> !index.get("id").asText().contains("conv_")
                        && index.get("dropout").asDouble() == 0)
                .map(index -> DynamicTest.dynamicTest(index.get("id").asText(), () -> {
                    for (Orientation orientation : Orientation.values()) {
                        peft(root, index, orientation);
                    }
                }));
    }

    private static void peft(Path root, JsonNode index, Orientation orientation) throws IOException {
        Map<String, INDArray> data =
                Npz.read(root.resolve("data/" + index.get("data").asText() + ".npz"));
        Map<String, INDArray> golden = Npz.read(root.resolve(index.get("id").asText() + ".npz"));
        boolean embedding = index.get("id").asText().contains("emb");
        INDArray w = embedding ? data.get("W") : data.get("W").transpose().dup('c');
        INDArray bias = index.get("bias").asBoolean() && !embedding ? data.get("b") : Nd4j.zeros(w.size(1));
        Layer layer = embedding
                ? Layer.embedding(w, data.get("ids"), data.get("y"))
                : Layer.linear(w, data.get("x"), data.get("y"), bias, orientation);
        Lora lora =
                Lora.rank(index.get("r").asInt()).withAlpha(index.get("alpha").asDouble());
        Dora method = new Dora(index.get("rslora").asBoolean() ? lora.withRankStabilizedScaling() : lora);
        AdaptedModel model =
                AdaptedModel.inject(layer.graph, AdapterConfig.of(method).withTargets(TargetSelector.suffixes(MODULE)));
        assertThat(model.sites().get(0).scaling())
                .isEqualTo(index.get("scaling").asDouble());
        assertThat(error(model.trainables().get(variable(model, Dora.MAGNITUDE)), golden.get("m0")))
                .isLessThan(1e-6);

        set(model, golden, "p");
        assertThat(error(layer.output(), golden.get("outp"))).isLessThan(2e-5);
        for (EveryEngine each : List.of(EveryEngine.COMPILED, EveryEngine.REFERENCE)) {
            try (Engine engine = each.open(layer.graph, "loss", model.trainableNames())) {
                Map<String, INDArray> gradients = engine.gradients(layer.feeds).byName();
                assertThat(error(gradients.get(variable(model, "lora_A")), turned(golden.get("gAp"))))
                        .isLessThan(1e-5);
                assertThat(error(gradients.get(variable(model, "lora_B")), turned(golden.get("gBp"))))
                        .isLessThan(1e-5);
                assertThat(error(gradients.get(variable(model, Dora.MAGNITUDE)), golden.get("gmp")))
                        .isLessThan(1e-5);
            }
        }
        set(model, golden, "0");
        AdamW updater = new AdamW(0.01, 0.01);
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        model.trainableNames()
                .forEach(name ->
                        parameters.put(name, layer.graph.getVariable(name).getArr()));
        try (Engine engine = EveryEngine.COMPILED.open(layer.graph, "loss", model.trainableNames())) {
            for (int step = 0; step < 20; step++) {
                updater.step(parameters, engine.gradients(layer.feeds).byName());
            }
        }
        assertThat(error(layer.output(), golden.get("out20"))).isLessThan(1e-4);
        INDArray merged = golden.get("merged20");
        boolean asModule = !embedding && !index.get("conv1d").asBoolean();
        assertThat(error(layer.merged(model), asModule ? turned(merged) : merged))
                .isLessThan(1e-4);
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
                variable(model, Dora.MAGNITUDE),
                golden.get("m" + suffix)));
    }

    static Stream<Arguments> starts() {
        return Stream.of(
                        new Dora(Lora.rank(3).withAlpha(6)),
                        new Dora(OLora.rank(3).withAlpha(6)),
                        new Dora(Pissa.rank(3).withAlpha(6).withRankStabilizedScaling()),
                        Dora.rank(1))
                .flatMap(method ->
                        Stream.of(Orientation.values()).map(orientation -> Arguments.of(method, orientation)));
    }

    /** The formulas with V written out, in float64; see the class comment of {@link Dora}. */
    @ParameterizedTest
    @MethodSource("starts")
    void outputs_gradients_and_merged_weights_are_those_of_the_whole_formula(Dora method, Orientation orientation) {
        INDArray w = Nd4j.rand(DataType.DOUBLE, 7, 5).sub(0.5);
        INDArray x = Nd4j.rand(DataType.DOUBLE, 4, 7);
        INDArray y = Nd4j.rand(DataType.DOUBLE, 4, 5);
        INDArray bias = Nd4j.rand(DataType.DOUBLE, 5);
        Layer layer = Layer.linear(w, x, y, bias, orientation);
        INDArray before = layer.output();
        AdaptedModel model = AdaptedModel.inject(layer.graph, AdapterConfig.of(method));
        assertThat(error(layer.output(), before)).isLessThan(1e-12);
        Map<String, INDArray> start = model.state().sites().get(0).start();
        double s = model.sites().get(0).scaling();
        Map<String, INDArray> values = model.trainables();
        values.replaceAll((name, value) ->
                value.add(Nd4j.rand(DataType.DOUBLE, value.shape()).sub(0.5).mul(0.3)));
        model.restore(values);
        INDArray a = values.get(variable(model, "lora_A"));
        INDArray b = values.get(variable(model, "lora_B"));
        INDArray m = values.get(variable(model, Dora.MAGNITUDE));
        INDArray v = w.sub(method.delta(start, s)).add(a.mmul(b).mul(s));
        INDArray f = m.div(v.norm2(0));
        INDArray whole = v.mulRowVector(f);
        INDArray output = x.mmul(whole).addRowVector(bias);
        assertThat(error(layer.output(), output)).isLessThan(1e-6); // the start is rounded to float32
        assertThat(error(layer.merged(model), whole)).isLessThan(1e-6);
        INDArray g = output.sub(y).mul(2.0 / output.length());
        INDArray ofV = x.transpose().mmul(g.mulRowVector(f));
        Map<String, INDArray> gradients = layer.graph.calculateGradients(layer.feeds, model.trainableNames());
        assertThat(error(
                        gradients.get(variable(model, "lora_A")),
                        ofV.mmul(b.transpose()).mul(s)))
                .isLessThan(1e-6);
        assertThat(error(
                        gradients.get(variable(model, "lora_B")),
                        a.transpose().mmul(ofV).mul(s)))
                .isLessThan(1e-6);
        assertThat(error(
                        gradients.get(variable(model, Dora.MAGNITUDE)),
                        g.mul(x.mmul(v)).sum(0).div(v.norm2(0))))
                .isLessThan(1e-6);
        LowRankUpdate update = model.updates().get(0);
        INDArray beside = orientation
                .asInOut(update.base().orElseThrow())
                .add(update.down().mmul(update.up()));
        assertThat(error(beside, whole)).isLessThan(1e-6);
    }

    @Test
    void the_step_is_compiled_whole() {
        Layer layer = random(DataType.FLOAT, 7, 5);
        AdaptedModel model = AdaptedModel.inject(layer.graph, AdapterConfig.of(Dora.rank(2)));
        try (Engine engine = EveryEngine.COMPILED.open(layer.graph, "loss", model.trainableNames())) {
            engine.gradients(layer.feeds);
            engine.gradients(layer.feeds);
            ExecutionReport report = engine.report().orElseThrow();
            assertThat(report.notCompiled()).isEmpty();
            assertThat(report.operations()).isEmpty();
        }
    }

    private static Layer random(DataType type, int in, int out) {
        return Layer.linear(
                Nd4j.rand(type, in, out).sub(0.5),
                Nd4j.rand(type, 4, in),
                Nd4j.rand(type, 4, out),
                Nd4j.zeros(type, out),
                Orientation.IN_OUT);
    }

    /** PEFT divides zero by zero there: NaN from the first step on. */
    @Test
    void a_column_of_zeros_stays_finite_and_learns() {
        INDArray w = Nd4j.rand(DataType.FLOAT, 6, 4).sub(0.5);
        w.putColumn(2, Nd4j.zeros(DataType.FLOAT, 6));
        Layer layer = Layer.linear(
                w,
                Nd4j.rand(DataType.FLOAT, 5, 6),
                Nd4j.ones(DataType.FLOAT, 5, 4),
                Nd4j.zeros(DataType.FLOAT, 4),
                Orientation.OUT_IN);
        INDArray before = layer.output();
        AdaptedModel model = AdaptedModel.inject(layer.graph, AdapterConfig.of(Dora.rank(2)));
        assertThat(error(layer.output(), before)).isLessThan(1e-6);
        AdamW updater = new AdamW(0.05, 0);
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        model.trainableNames()
                .forEach(name ->
                        parameters.put(name, layer.graph.getVariable(name).getArr()));
        for (int step = 0; step < 30; step++) {
            updater.step(parameters, layer.graph.calculateGradients(layer.feeds, model.trainableNames()));
        }
        INDArray column = layer.output().getColumn(2);
        assertThat(column.meanNumber().doubleValue()).isBetween(0.3, 2.0);
        assertThat(Transforms.abs(layer.merged(model)).sumNumber().doubleValue())
                .isFinite();
    }

    @Test
    void lengths_belong_to_one_active_adapter() {
        Layer layer = random(DataType.FLOAT, 6, 6);
        AdaptedModel model =
                AdaptedModel.inject(layer.graph, AdapterConfig.of(Dora.rank(2)).withName("lengths"));
        model.add(AdapterConfig.of(Lora.rank(2)).withName("factors"));
        INDArray alone = layer.output();
        assertThatThrownBy(() -> model.activate("factors", "lengths"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("both change `" + WEIGHT + "`")
                .hasMessageContaining("only one of them can be active");
        assertThatBits(layer.output()).isEqualTo(alone);
        model.activate("factors");
        assertThat(model.activeAdapterNames()).containsExactly("factors");
    }

    @Test
    void its_directions_have_two_factors() {
        assertThatThrownBy(() -> new Dora(Sorsa.rank(2)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora, olora or pissa");
        assertThatThrownBy(() -> new Dora(Dora.rank(2))).isInstanceOf(InvalidInputException.class);
    }

    @Test
    void there_is_no_sum_of_lengths() {
        Layer layer = random(DataType.FLOAT, 6, 6);
        AdapterState state = AdaptedModel.inject(
                        layer.graph, AdapterConfig.of(Dora.rank(2)).withTargets(TargetSelector.allLinear()))
                .state();
        assertThatThrownBy(() -> AdapterSum.of("sum", List.of(new AdapterSum.Weighted(state, 1))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sets the lengths of columns");
    }
}
