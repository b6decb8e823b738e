package dev.samediff.adapters.train.loss;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GraphAudit;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LossesTest {
    private static final INDArray SCORES = Nd4j.createFromArray(
                    2.0, -1.0, 0.5, 30.0, 31.0, 29.5, -4.0, 0.0, 3.0, 1.0, 1.0, 1.0)
            .reshape('c', 2, 2, 3);

    private final SameDiff graph = SameDiff.create();

    private TaskLoss causal(DataType type, double scale) {
        graph.var("z", SCORES.castTo(type)).mul(scale).rename("logits");
        return Losses.causalLm(graph, "logits");
    }

    private static Map<String, INDArray> labels(int[] labels, float... mask) {
        return Map.of(
                "labels", Nd4j.createFromArray(labels).reshape(2, 2),
                "label_mask", Nd4j.createFromArray(mask).reshape(2, 2));
    }

    @Test
    void the_loss_is_the_mean_over_labelled_tokens_and_its_gradient_softmax_minus_one_hot() {
        TaskLoss loss = causal(DataType.DOUBLE, 1);
        try (Engine engine = new ReferenceEngine(graph, loss.loss(), List.of("z"))) {
            Engine.Gradients result = engine.gradients(labels(new int[] {0, 1, -100, 2}, 1, 1, 0, 1));
            double expected = 0;
            double[] gradient = new double[12];
            int[] labels = {0, 1, -100, 2};
            for (int row = 0; row < 4; row++) {
                if (row == 2) {
                    continue;
                }
                double sum = 0;
                for (int j = 0; j < 3; j++) {
                    sum += Math.exp(SCORES.getDouble(3 * row + j));
                }
                expected += Math.log(sum) - SCORES.getDouble(3 * row + labels[row]);
                for (int j = 0; j < 3; j++) {
                    gradient[3 * row + j] =
                            (Math.exp(SCORES.getDouble(3 * row + j)) / sum - (j == labels[row] ? 1 : 0)) / 3;
                }
            }
            assertThat(result.loss()).isCloseTo(expected / 3, within(1e-6));
            assertThat(result.byName().get("z").dup('c').data().asDouble()).containsExactly(gradient, within(1e-6));
        }
    }

    @Test
    void large_scores_neither_overflow_nor_lose_the_gradient() {
        TaskLoss loss = causal(DataType.FLOAT, 1000);
        try (Engine engine = new ReferenceEngine(graph, loss.loss(), List.of("z"))) {
            Engine.Gradients result = engine.gradients(labels(new int[] {1, 1, 2, 0}, 1, 1, 1, 0));
            assertThat(result.loss()).isCloseTo(3000.0 / 3, within(1e-2));
            assertThat(result.byName().get("z").getDouble(0, 0, 0)).isCloseTo(1000.0 / 3, within(1e-2));
        }
    }

    @Test
    void a_batch_without_labels_has_loss_and_gradient_zero() {
        TaskLoss loss = causal(DataType.FLOAT, 1);
        try (Engine engine = new ReferenceEngine(graph, loss.loss(), List.of("z"))) {
            Engine.Gradients result = engine.gradients(labels(new int[4], 0, 0, 0, 0));
            assertThat(result.loss()).isZero();
            assertThat(result.byName().get("z").norm2Number().doubleValue()).isZero();
        }
    }

    @Test
    void a_second_call_gives_the_same_loss_and_adds_nothing() {
        TaskLoss first = causal(DataType.FLOAT, 1);
        int variables = graph.variables().size();
        assertThat(Losses.causalLm(graph, "logits")).isEqualTo(first);
        assertThat(graph.variables()).hasSize(variables);
    }

    @Test
    void taken_names_get_a_number() {
        graph.placeHolder("labels", DataType.FLOAT, -1);
        TaskLoss loss = causal(DataType.FLOAT, 1);
        assertThat(loss.labels()).isEqualTo("labels_1");
        assertThat(Losses.causalLm(graph, "logits")).isEqualTo(loss);
    }

    @Test
    void classification_is_the_mean_over_examples() {
        graph.var("z", SCORES.castTo(DataType.FLOAT).reshape(4, 3)).mul(1).rename("scores");
        TaskLoss loss = Losses.classification(graph, "scores");
        try (Engine engine = new ReferenceEngine(graph, loss.loss(), List.of("z"))) {
            double value = engine.gradients(Map.of(
                            "labels", Nd4j.createFromArray(0, 1, 2, 2),
                            "label_mask", Nd4j.createFromArray(1f, 1f, 1f, 1f)))
                    .loss();
            assertThat(value).isCloseTo((0.241307 + 0.464367 + 0.049493 + Math.log(3)) / 4, within(1e-4));
        }
    }

    @Test
    void no_op_with_a_wrong_gradient_is_used_and_the_loss_survives_saving(@TempDir Path folder) throws IOException {
        TinyGpt gpt = new TinyGpt(8, 1, 2, 5, 2);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        assertThat(GraphAudit.check(gpt.graph, List.of(loss.loss()), gpt.trainables))
                .isEmpty();
        File file = folder.resolve("graph.fb").toFile();
        gpt.graph.save(file, false);
        SameDiff loaded = SameDiff.load(file, false);
        assertThat(Losses.causalLm(loaded, gpt.logits)).isEqualTo(loss);
        Map<String, INDArray> batch = gpt.batch(2, 4, 1);
        try (Engine before = new ReferenceEngine(gpt.graph, loss.loss(), gpt.trainables);
                Engine after = new ReferenceEngine(loaded, loss.loss(), gpt.trainables)) {
            Engine.Gradients expected = before.gradients(batch);
            Engine.Gradients actual = after.gradients(batch);
            assertThat(actual.loss()).isEqualTo(expected.loss());
            assertThatBits(actual.byName()).isEqualTo(expected.byName());
        }
    }

    @Test
    void missing_logits_are_named() {
        assertThatThrownBy(() -> Losses.causalLm(graph, "logitz"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`logitz`");
    }
}
