package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class StepMemoryTest {
    /** {@code loss = sum(tanh(x W))} with x [batch,100], W [100,50]. */
    private static StepMemory dense() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 100);
        SDVariable w = graph.var("w", Nd4j.rand(DataType.FLOAT, 100, 50));
        graph.math.tanh(graph.mmul("z", x, w)).sum("loss");
        return StepMemory.measure(graph, "loss", List.of("w"), rows(1), rows(2));
    }

    private static Map<String, INDArray> rows(int count) {
        return Map.of("x", Nd4j.rand(DataType.FLOAT, count, 100));
    }

    @Test
    void results_are_counted_for_as_long_as_they_are_needed() {
        StepMemory memory = dense();
        long gradientOfW = 4L * 100 * 50;
        long row = 4L * 50; // of z, of tanh z, and of their gradients
        assertThat(memory.bytes(1000)).isBetween(gradientOfW + 3000 * row, gradientOfW + 4000 * row + 10_000);
        assertThat(memory.bytes(2000) - memory.bytes(1000)).isEqualTo(memory.bytes(3000) - memory.bytes(2000));
    }

    @Test
    void the_estimate_for_a_transformer_holds_for_the_batch_it_was_made_for() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        StepMemory small =
                StepMemory.measure(gpt.graph, loss.loss(), gpt.trainables, gpt.batch(1, 6, 1), gpt.batch(2, 6, 1));
        StepMemory large =
                StepMemory.measure(gpt.graph, loss.loss(), gpt.trainables, gpt.batch(12, 6, 1), gpt.batch(24, 6, 1));
        assertThat(small.bytes(12)).isEqualTo(large.bytes(1));
        assertThat(small.bytes(24)).isEqualTo(large.bytes(2));
    }

    @Test
    void half_precision_adds_the_rounded_operands_of_the_largest_products() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 100);
        SDVariable frozen = graph.constant("frozen", Nd4j.rand(DataType.FLOAT, 100, 50));
        SDVariable again = graph.constant("again", Nd4j.rand(DataType.FLOAT, 100, 50));
        SDVariable scale = graph.var("scale", Nd4j.rand(DataType.FLOAT, 1, 50));
        graph.mmul("a", x, frozen)
                .add(graph.mmul("b", graph.math.tanh(x), again))
                .mul(scale)
                .sum("loss");
        long[] bytes = new long[2];
        for (boolean half : new boolean[] {false, true}) {
            bytes[half ? 1 : 0] = StepMemory.measure(
                            graph,
                            "loss",
                            List.of("scale"),
                            rows(1),
                            rows(2),
                            half ? Precision.HALF : Precision.FLOAT32)
                    .bytes(7);
        }
        // one weight, one result and one activation at a time; x is a placeholder, whose rounded copy is not counted
        assertThat(bytes[1] - bytes[0]).isEqualTo(2 * (100 * 50 + 7 * 50 + 7 * 100));
    }

    @Test
    void a_batch_that_does_not_fit_is_refused_with_one_that_does() {
        StepMemory memory = dense();
        long free = memory.bytes(40) + StepMemory.OPTIMIZER_BYTES * 100L * 50;
        assertThatCode(() -> memory.requireFits(40, free)).doesNotThrowAnyException();
        assertThatThrownBy(() -> memory.requireFits(64, free))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("batches of 64")
                .hasMessageContaining("batches of 40 fit");
        assertThatThrownBy(() -> memory.requireFits(64, 1000)).hasMessageContaining("not even one");
    }

    @Test
    void nothing_is_known_of_device_memory_on_the_cpu() {
        if (Nd4j.getEnvironment().isCPU()) {
            assertThat(DeviceMemory.free()).isEmpty();
        } else {
            assertThat(DeviceMemory.free().orElseThrow()).isPositive();
        }
    }

    @Test
    void exhausted_device_memory_is_recognised_by_what_nd4j_says() {
        assertThat(DeviceMemory.isExhausted(new IllegalStateException(
                        new RuntimeException("Allocation failed: [[DEVICE] allocation failed; Error code: [2]]"))))
                .isTrue();
        assertThat(DeviceMemory.isExhausted(new RuntimeException("Failed to allocate 9 bytes from DEVICE [0] memory")))
                .isTrue();
        assertThat(DeviceMemory.isExhausted(new OutOfMemoryError("Java heap space")))
                .isFalse();
        assertThat(DeviceMemory.isExhausted(new IllegalStateException())).isFalse();
    }
}
