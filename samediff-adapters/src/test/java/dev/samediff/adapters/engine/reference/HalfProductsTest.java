package dev.samediff.adapters.engine.reference;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J multiplies halves on the CPU too, slowly, so this runs everywhere. */
class HalfProductsTest {
    private final INDArray x = Nd4j.rand(DataType.FLOAT, 5, 6);
    private final INDArray weight = Nd4j.rand(DataType.FLOAT, 6, 4);
    private final INDArray factor = Nd4j.rand(DataType.FLOAT, 6, 4);

    /** {@code loss = sum((x weight) * (x factor))}, with a frozen weight and a trained factor. */
    private SameDiff graph(boolean transposed) {
        SameDiff graph = SameDiff.create();
        SDVariable input = graph.placeHolder("x", DataType.FLOAT, -1, 6);
        SDVariable frozen =
                graph.constant("weight", transposed ? weight.transpose().dup('c') : weight);
        SDVariable y = graph.mmul("y", input, frozen, false, transposed, false);
        y.mul(graph.mmul("z", input, graph.var("factor", factor))).sum("loss");
        return graph;
    }

    private static ReferenceEngine engine(SameDiff graph, String loss, List<String> trainables, boolean half) {
        return new ReferenceEngine(graph, loss, trainables, half, true);
    }

    private static INDArray get(Map<String, INDArray> arrays, String name) {
        return Objects.requireNonNull(arrays.get(name), name);
    }

    private static double difference(INDArray actual, INDArray expected) {
        return actual.sub(expected).amaxNumber().doubleValue()
                / expected.amaxNumber().doubleValue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void operands_and_result_of_a_frozen_product_are_rounded_and_no_others(boolean transposed) {
        try (Engine engine = engine(graph(transposed), "loss", List.of("factor"), true)) {
            Map<String, INDArray> results = engine.outputs(Map.of("x", x), List.of("y", "z"));
            INDArray y = get(results, "y");
            INDArray halves = Nd4j.matmul(x.castTo(DataType.HALF), weight.castTo(DataType.HALF))
                    .castTo(DataType.FLOAT);
            assertThat(y.dataType()).isEqualTo(DataType.FLOAT);
            assertThat(difference(y, halves)).isLessThan(2e-3);
            assertThatBits(y.castTo(DataType.HALF).castTo(DataType.FLOAT)).isEqualTo(y);
            assertThat(difference(get(results, "z"), x.mmul(factor))).isLessThan(1e-6);
        }
    }

    @Test
    void gradients_are_float_and_use_the_rounded_forward_pass() {
        SameDiff graph = graph(false);
        try (Engine engine = engine(graph, "loss", List.of("factor"), true)) {
            INDArray y = get(engine.outputs(Map.of("x", x), List.of("y")), "y");
            INDArray gradient = get(engine.gradients(Map.of("x", x)).byName(), "factor");
            assertThat(gradient.dataType()).isEqualTo(DataType.FLOAT);
            assertThat(difference(gradient, x.transpose().mmul(y))).isLessThan(1e-6);
        }
    }

    @Test
    void a_changed_weight_is_rounded_anew() {
        SameDiff graph = graph(false);
        try (Engine engine = engine(graph, "loss", List.of("factor"), true)) {
            INDArray before = get(engine.outputs(Map.of("x", x), List.of("y")), "y");
            graph.getArrForVarName("weight").muli(2);
            INDArray after = get(engine.outputs(Map.of("x", x), List.of("y")), "y");
            assertThat(difference(after, before.mul(2))).isLessThan(2e-3);
        }
    }

    @Test
    void a_transformer_stays_close_to_float_forward_and_backward() {
        TinyGpt gpt = new TinyGpt(16, 2, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(3, 6, 1);
        try (Engine half = engine(gpt.graph, loss.loss(), gpt.trainables, true);
                Engine single = engine(gpt.graph, loss.loss(), gpt.trainables, false)) {
            double logits = difference(
                    get(half.outputs(batch, List.of(gpt.logits)), gpt.logits),
                    get(single.outputs(batch, List.of(gpt.logits)), gpt.logits));
            assertThat(logits).isBetween(1e-5, 2e-2);
            Map<String, INDArray> expected = single.gradients(batch).byName();
            half.gradients(batch)
                    .byName()
                    .forEach((name, gradient) -> assertThat(difference(gradient, get(expected, name)))
                            .as(name)
                            .isLessThan(5e-2));
        }
    }

    @Test
    void the_cpu_refuses_half_precision() {
        assumeTrue(Nd4j.getEnvironment().isCPU(), "a device allows it");
        EngineOptions options = EngineOptions.defaults().withPrecision(Precision.HALF);
        assertThatThrownBy(() -> Engines.open(graph(false), "loss", List.of("factor"), options))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("CUDA")
                .hasMessageContaining("bfloat16");
        assertThatThrownBy(() -> options.withRecomputation(true)).hasMessageContaining("recomputation");
    }
}
