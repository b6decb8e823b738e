package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Slices of graphs of one's own that ND4J executes by writing outside of memory, which ends the process some time later. */
class EmptySlicesTest {
    private static INDArray run(SameDiff graph, INDArray x) {
        graph.getVariable("y").sum("loss");
        graph.var("unused", Nd4j.ones(1));
        try (ReferenceEngine engine = new ReferenceEngine(graph, "loss", List.of("unused"))) {
            return engine.outputs(Map.of("x", x), List.of("y")).get("y");
        }
    }

    private static SameDiff graph(long rank) {
        SameDiff graph = SameDiff.create();
        long[] open = new long[(int) rank];
        Arrays.fill(open, -1);
        graph.placeHolder("x", DataType.FLOAT, open);
        return graph;
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "5, 2", "5, -1"})
    void ends_from_the_end_and_steps_in_arrays_are_refused(long end, long step) {
        SameDiff graph = graph(2);
        graph.stridedSlice(
                "y",
                graph.getVariable("x"),
                graph.constant(Nd4j.createFromArray(0L, 0L)),
                graph.constant(Nd4j.createFromArray(3L, end)),
                graph.constant(Nd4j.createFromArray(1L, step)),
                0,
                0,
                0,
                0,
                0);
        assertThatThrownBy(() -> run(graph, Nd4j.ones(4, 5)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("axis 1", "`x`", "by an array", "`y`");
    }

    /** SameDiff's own session executes graphs with control flow. */
    @Test
    void slices_behind_control_flow_are_refused_too() {
        SameDiff graph = graph(2);
        SDVariable[] ways = graph.switchOp(graph.getVariable("x"), graph.constant(Nd4j.scalar(true)));
        SDVariable either = graph.merge(ways[0].add(1), ways[1].add(2));
        graph.stridedSlice("y", either, new long[] {0, 0}, new long[] {1, 0}, new long[] {1, 1}, 0, 0, 0, 0, 0);
        assertThatThrownBy(() -> run(graph, Nd4j.ones(1, 3)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("takes no element of axis 1", "`y`");
    }

    /** The elements of 0, 1, 2, ... in this shape that a slice takes. */
    private static double[] taken(long[] shape, long[] begin, long[] steps, long[] lengths) {
        double[] result = new double[(int) Arrays.stream(lengths).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < result.length; i++) {
            long rest = i;
            long stride = 1;
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                result[i] += stride * (begin[axis] + steps[axis] * (rest % lengths[axis]));
                rest /= lengths[axis];
                stride *= shape[axis];
            }
        }
        return result;
    }

    /** What has elements is what Java's loops take; what has none is refused, in numbers and in arrays. */
    @Test
    void random_slices_are_right_or_refused() {
        Random random = new Random(11);
        int refused = 0;
        int right = 0;
        for (int trial = 0; trial < 300; trial++) {
            int rank = 1 + random.nextInt(3);
            long[] shape = new long[rank];
            long[] begin = new long[rank];
            long[] end = new long[rank];
            long[] steps = new long[rank];
            long[] lengths = new long[rank];
            boolean arrays = random.nextBoolean();
            boolean isEmpty = false;
            for (int axis = 0; axis < rank; axis++) {
                long size = 1 + random.nextInt(4);
                shape[axis] = size;
                begin[axis] = random.nextInt((int) size);
                end[axis] = random.nextInt((int) size + 1);
                if (!arrays && random.nextBoolean() && end[axis] < size) {
                    end[axis] -= size;
                }
                steps[axis] = arrays ? 1 : 1 + random.nextInt(2);
                long stop = end[axis] < 0 ? end[axis] + size : end[axis];
                lengths[axis] = Math.max(0, (stop - begin[axis] + steps[axis] - 1) / steps[axis]);
                isEmpty |= stop <= begin[axis];
            }
            SameDiff graph = graph(rank);
            SDVariable x = graph.getVariable("x");
            if (arrays) {
                graph.stridedSlice(
                        "y",
                        x,
                        graph.constant(Nd4j.createFromArray(begin)),
                        graph.constant(Nd4j.createFromArray(end)),
                        graph.constant(Nd4j.createFromArray(steps)),
                        0,
                        0,
                        0,
                        0,
                        0);
            } else {
                graph.stridedSlice("y", x, begin, end, steps, 0, 0, 0, 0, 0);
            }
            INDArray values = Nd4j.arange(Nd4j.create(shape).length()).reshape(shape);
            if (isEmpty) {
                refused++;
                assertThatThrownBy(() -> run(graph, values))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll("takes no element", "`x`", "`slice`");
            } else {
                right++;
                INDArray result = run(graph, values);
                assertThat(result.shape()).containsExactly(lengths);
                assertThat(result.dup('c').data().asDouble()).containsExactly(taken(shape, begin, steps, lengths));
            }
        }
        assertThat(refused).isGreaterThan(50);
        assertThat(right).isGreaterThan(20);
    }
}
