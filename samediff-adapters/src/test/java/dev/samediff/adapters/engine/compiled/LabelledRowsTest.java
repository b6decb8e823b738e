package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LabelledRowsTest {
    private static final int BATCH = 4;
    private static final int LENGTH = 32;

    private final TinyGpt gpt = new TinyGpt(32, 2, 2, 600, 3);
    private final TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);

    private CompiledEngine engine() {
        return new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, EngineOptions.defaults());
    }

    /** A batch in which so many tokens are labelled, anywhere. */
    private Map<String, INDArray> batch(int labelled) {
        Map<String, INDArray> batch = new HashMap<>(gpt.batch(BATCH, LENGTH, 1));
        float[] mask = new float[BATCH * LENGTH];
        Random random = new Random(labelled);
        for (int left = labelled; left > 0; ) {
            int i = random.nextInt(mask.length);
            if (mask[i] == 0) {
                mask[i] = 1 + random.nextInt(2);
                left--;
            }
        }
        batch.put(loss.mask(), Nd4j.createFromArray(mask).reshape(BATCH, LENGTH));
        return batch;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 32, 33, 70, 96, 97, 128})
    void loss_and_gradients_are_those_of_all_rows(int labelled) {
        Map<String, INDArray> batch = batch(labelled);
        try (CompiledEngine compiled = engine();
                ReferenceEngine reference = new ReferenceEngine(gpt.graph, loss.loss(), gpt.trainables)) {
            Engine.Gradients expected = reference.gradients(batch);
            Engine.Gradients actual = compiled.gradients(batch);
            assertThat(compiled.fallback()).isEmpty();
            assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-5 * Math.max(1e-3, expected.loss())));
            expected.byName().forEach((name, gradient) -> {
                double error = actual.byName().get(name).distance2(gradient);
                assertThat(error)
                        .as(name)
                        .isLessThanOrEqualTo(1e-4 * gradient.norm2Number().doubleValue());
            });
        }
    }

    @Test
    void fewer_labels_need_less_memory() {
        assertThat(intermediateResults(batch(30))).isLessThan(intermediateResults(batch(128)) * 4 / 5);
    }

    private long intermediateResults(Map<String, INDArray> batch) {
        try (FrozenWeights weights = new FrozenWeights(gpt.graph, Targets.open(EngineOptions.defaults()));
                CompiledStep step = CompiledStep.compile(
                        gpt.graph,
                        List.of(loss.loss()),
                        gpt.trainables,
                        batch,
                        EngineOptions.defaults(),
                        weights,
                        new HashMap<>())) {
            return step.plan().arenaBytes();
        }
    }

    @Test
    void a_label_that_is_no_class_is_named_by_its_position_among_all() {
        Map<String, INDArray> batch = batch(20);
        INDArray mask = batch.get(loss.mask());
        INDArray labels = batch.get(loss.labels()).dup();
        mask.putScalar(77, 1);
        labels.putScalar(77, 600);
        batch.put(loss.labels(), labels);
        try (CompiledEngine compiled = engine()) {
            assertThatThrownBy(() -> compiled.gradients(batch))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("position [2, 13] of the placeholder `labels` is 600")
                    .hasMessageContaining("600");
        }
    }

    @Test
    void batches_of_one_shape_follow_each_other_whatever_is_labelled() {
        try (CompiledEngine compiled = engine();
                ReferenceEngine reference = new ReferenceEngine(gpt.graph, loss.loss(), gpt.trainables)) {
            for (int labelled : new int[] {20, 128, 60, 20, 5}) {
                Map<String, INDArray> batch = batch(labelled);
                assertThat(compiled.gradients(batch).loss())
                        .as("%d labels", labelled)
                        .isCloseTo(reference.gradients(batch).loss(), within(1e-4));
            }
        }
    }
}
