package dev.samediff.adapters.train.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class GradientSumTest {
    private final INDArray parameter = Nd4j.zeros(2);

    private Optimizer optimizer(boolean host) {
        Optimizer.Settings settings = new Optimizer.Settings(0, 0, 0, 0);
        return host && Nd4j.getEnvironment().isCPU()
                ? new HostAdamW(settings, List.of(parameter), 1)
                : new DeviceAdamW(settings, List.of(parameter));
    }

    private static Engine.Gradients gradients(double loss, float first, float second) {
        return new Engine.Gradients(loss, Map.of("w", Nd4j.createFromArray(first, second)));
    }

    /** With decays of 0 the first moment is the gradient. */
    private float[] mean(Optimizer optimizer, GradientSum sum) {
        optimizer.update(List.of(parameter), sum.mean(), 1);
        return optimizer.firstMoments().get(0).toFloatVector();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void gradients_are_weighted_by_labelled_tokens(boolean host) {
        try (Optimizer optimizer = optimizer(host)) {
            GradientSum sum = new GradientSum(List.of("w"), optimizer);
            sum.add(gradients(2, 1, 4), 3);
            sum.add(gradients(6, 5, 0), 1);
            sum.add(gradients(Double.NaN, 7, 7), 0);
            assertThat(sum.loss()).isEqualTo(3);
            assertThat(sum.tokens()).isEqualTo(4);
            assertThat(mean(optimizer, sum)).containsExactly(new float[] {2, 3}, within(1e-6f));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_single_batch_is_taken_as_it_is(boolean host) {
        try (Optimizer optimizer = optimizer(host)) {
            GradientSum sum = new GradientSum(List.of("w"), optimizer);
            sum.add(gradients(2, 0.1f, 1 / 3f), 49);
            assertThat(mean(optimizer, sum)).containsExactly(0.1f, 1 / 3f);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void batches_without_labels_count_for_nothing(boolean host) {
        try (Optimizer optimizer = optimizer(host)) {
            GradientSum sum = new GradientSum(List.of("w"), optimizer);
            sum.add(gradients(Double.NaN, Float.NaN, 7), 0);
            sum.add(gradients(2, 1, 4), 3);
            assertThat(sum.loss()).isEqualTo(2);
            assertThat(mean(optimizer, sum)).containsExactly(1, 4);
            GradientSum nothing = new GradientSum(List.of("w"), optimizer);
            nothing.add(gradients(5, 7, 7), 0);
            assertThat(nothing.loss()).isZero();
            assertThat(mean(optimizer, nothing)).containsOnly(0);
        }
    }

    @Test
    void a_missing_gradient_is_named() {
        try (Optimizer optimizer = optimizer(true)) {
            assertThatThrownBy(() -> new GradientSum(List.of("v"), optimizer).add(gradients(1, 1, 1), 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("`v`");
        }
    }

    @Test
    void gradients_are_clipped_to_a_global_norm() {
        assertThat(GradientSum.clipping(5, 1)).isCloseTo(0.2, within(1e-6));
        assertThat(GradientSum.clipping(5, 6)).isEqualTo(1);
        assertThat(GradientSum.clipping(5, 0)).isEqualTo(1);
        assertThat(GradientSum.clipping(Double.NaN, 1)).isEqualTo(1);
    }
}
