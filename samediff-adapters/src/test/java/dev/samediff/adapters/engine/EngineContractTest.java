package dev.samediff.adapters.engine;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** What every engine must do. */
public abstract class EngineContractTest {
    /** Opens the engine under test. */
    protected abstract Engine open(SameDiff graph, String loss, List<String> trainables);

    /** Largest relative error against SameDiff's own gradients. */
    protected double tolerance() {
        return 1e-6;
    }

    @Test
    void loss_and_gradients_are_those_of_samediff() {
        TinyGpt gpt = new TinyGpt(16, 2, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        Engine.Gradients expected = bySameDiff(gpt.graph, loss.loss(), gpt.trainables, batch);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            assertSame(engine.gradients(batch), expected);
        }
    }

    @Test
    void transposed_weights_give_the_same_gradients() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3, DataType.FLOAT, true);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        Engine.Gradients expected = bySameDiff(gpt.graph, loss.loss(), gpt.trainables, batch);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            assertSame(engine.gradients(batch), expected);
        }
    }

    @Test
    void shapes_may_change_from_call_to_call() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            for (int[] shape : new int[][] {{2, 5}, {3, 7}, {1, 1}, {2, 5}}) {
                Map<String, INDArray> batch = gpt.batch(shape[0], shape[1], 1);
                assertSame(engine.gradients(batch), bySameDiff(gpt.graph, loss.loss(), gpt.trainables, batch));
            }
        }
    }

    @Test
    void the_same_call_gives_the_same_bits() {
        TinyGpt gpt = new TinyGpt(16, 2, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            Map<String, INDArray> batch = gpt.batch(2, 6, 1);
            Engine.Gradients first = engine.gradients(batch);
            for (int i = 0; i < 12; i++) {
                engine.gradients(gpt.batch(1 + i % 3, 6, i));
                assertThatBits(engine.gradients(batch)).isEqualTo(first);
                assertThatBits(engine.gradients(batch)).isEqualTo(first);
            }
        }
    }

    @Test
    void gradients_agree_with_finite_differences() {
        TinyGpt gpt = new TinyGpt(8, 1, 2, 5, 2, DataType.DOUBLE, false);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 3, 1);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            Map<String, INDArray> gradients = engine.gradients(batch).byName();
            for (String name : gpt.trainables) {
                INDArray parameter = gpt.graph.getArrForVarName(name);
                INDArray direction =
                        Nd4j.rand(DataType.DOUBLE, parameter.shape()).subi(0.5);
                double epsilon = 1e-5;
                parameter.addi(direction.mul(epsilon));
                double above = engine.gradients(batch).loss();
                parameter.subi(direction.mul(2 * epsilon));
                double below = engine.gradients(batch).loss();
                parameter.addi(direction.mul(epsilon));
                double expected = (above - below) / (2 * epsilon);
                double actual = gradients.get(name).mul(direction).sumNumber().doubleValue();
                assertThat(actual).as(name).isCloseTo(expected, within(1e-5 * Math.max(1, Math.abs(expected))));
            }
        }
    }

    @Test
    void parameters_changed_in_place_are_seen_by_the_next_call() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            double before = engine.gradients(batch).loss();
            gpt.graph.getArrForVarName(gpt.trainables.get(1)).addi(0.5);
            double after = engine.gradients(batch).loss();
            assertThat(after).isNotEqualTo(before);
            assertThat(after).isCloseTo(forwardLoss(engine, loss, batch), within(1e-6));
        }
    }

    @Test
    void a_constant_given_another_array_is_seen_by_the_next_call() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            double before = engine.gradients(batch).loss();
            SDVariable weight = gpt.graph.getVariable(gpt.weights.get(0));
            weight.setArray(weight.getArr().mul(2));
            assertThat(engine.gradients(batch).loss())
                    .isNotEqualTo(before)
                    .isCloseTo(forwardLoss(engine, loss, batch), within(1e-6));
        }
    }

    @Test
    void nothing_that_is_handed_out_or_in_changes_later() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        Map<String, INDArray> copy = new HashMap<>();
        batch.forEach((name, value) -> copy.put(name, value.dup()));
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            List<String> names = List.of(gpt.logits, gpt.trainables.get(0), "causal");
            Map<String, INDArray> outputs = engine.outputs(batch, names);
            Map<String, INDArray> kept = new LinkedHashMap<>();
            outputs.forEach((name, value) -> kept.put(name, value.dup()));
            for (int i = 0; i < 3; i++) {
                engine.outputs(gpt.batch(2, 5, 9 + i), names);
                engine.gradients(gpt.batch(2, 5, 9 + i));
            }
            outputs.get(gpt.trainables.get(0)).addi(1);
            kept.forEach((name, value) -> {
                if (!name.equals(gpt.trainables.get(0))) {
                    assertThatBits(outputs.get(name)).as(name).isEqualTo(value);
                }
            });
            assertThatBits(gpt.graph.getArrForVarName(gpt.trainables.get(0)))
                    .isEqualTo(kept.get(gpt.trainables.get(0)));
        }
        copy.forEach((name, value) -> assertThatBits(batch.get(name)).as(name).isEqualTo(value));
    }

    @Test
    void outputs_need_only_the_placeholders_they_depend_on() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        Losses.causalLm(gpt.graph, gpt.logits);
        try (Engine engine = open(gpt.graph, "logits/causal_lm_loss", gpt.trainables)) {
            Map<String, INDArray> inputs = gpt.inputs(2, 5, 1);
            assertThat(engine.outputs(inputs, List.of(gpt.logits))
                            .get(gpt.logits)
                            .shape())
                    .containsExactly(2, 5, 11);
            inputs.remove("causal");
            assertThatThrownBy(() -> engine.outputs(inputs, List.of(gpt.logits)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("causal")
                    .hasMessageContaining("input_ids");
        }
    }

    @Test
    void placeholders_are_cast_to_the_type_of_the_graph() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        try (Engine engine = open(gpt.graph, loss.loss(), gpt.trainables)) {
            double expected = engine.gradients(batch).loss();
            batch.put("input_ids", batch.get("input_ids").castTo(DataType.INT32));
            batch.put("label_mask", batch.get("label_mask").castTo(DataType.DOUBLE));
            assertThat(engine.gradients(batch).loss()).isEqualTo(expected);
        }
    }

    @Test
    void a_loss_that_is_used_directly_and_a_variable_used_twice_get_whole_gradients() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable w = sd.var("w", Nd4j.rand(DataType.FLOAT, 3, 3));
        SDVariable b = sd.var("b", Nd4j.rand(DataType.FLOAT, 3));
        SDVariable y = sd.mmul(sd.math.tanh(sd.mmul(x, w).add(b)), w).add(b);
        y.mul(y).mean().rename("loss");
        Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.FLOAT, 4, 3));
        Engine.Gradients expected = bySameDiff(sd, "loss", List.of("w", "b"), inputs);
        try (Engine engine = open(sd, "loss", List.of("w", "b"))) {
            assertSame(engine.gradients(inputs), expected);
        }
    }

    @Test
    void a_trainable_without_influence_has_a_zero_gradient() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 3);
        sd.mmul(x, sd.var("w", Nd4j.rand(DataType.FLOAT, 3, 2))).mean().rename("loss");
        sd.var("unused", Nd4j.rand(DataType.FLOAT, 2, 2));
        try (Engine engine = open(sd, "loss", List.of("w", "unused"))) {
            Map<String, INDArray> gradients = engine.gradients(Map.of("x", Nd4j.ones(DataType.FLOAT, 4, 3)))
                    .byName();
            assertThatBits(gradients.get("unused")).isEqualTo(Nd4j.zeros(DataType.FLOAT, 2, 2));
            assertThat(gradients.get("w").norm2Number().doubleValue()).isPositive();
        }
    }

    private static double forwardLoss(Engine engine, TaskLoss loss, Map<String, INDArray> batch) {
        return engine.outputs(batch, List.of(loss.loss())).get(loss.loss()).getDouble(0);
    }

    /** SameDiff's own gradients, which leave its array cache out. */
    public static Engine.Gradients bySameDiff(
            SameDiff graph, String loss, List<String> trainables, Map<String, INDArray> batch) {
        List<String> before = List.copyOf(graph.getLossVariables());
        graph.setLossVariables(loss);
        Map<String, INDArray> gradients = graph.calculateGradients(batch, trainables);
        double value = graph.output(batch, List.of(loss)).get(loss).getDouble(0);
        graph.setLossVariables(before.toArray(String[]::new));
        return new Engine.Gradients(value, gradients);
    }

    protected final void assertSame(Engine.Gradients actual, Engine.Gradients expected) {
        assertThat(actual.loss()).isCloseTo(expected.loss(), within(tolerance() * Math.abs(expected.loss())));
        assertThat(actual.byName().keySet()).isEqualTo(expected.byName().keySet());
        expected.byName().forEach((name, gradient) -> {
            double scale = Math.max(1e-6, gradient.amaxNumber().doubleValue());
            double error = Transforms.abs(actual.byName().get(name).sub(gradient))
                    .maxNumber()
                    .doubleValue();
            assertThat(error / scale).as(name).isLessThan(tolerance());
        });
    }
}
