package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.ReduceKind;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

class ReduceTest {
    private static final long[] SHAPE = {2, 3, 4, 5};

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    private static double[] reference(ReduceKind kind, double[] x, long[] to) {
        int length = (int) Arrays.stream(to).reduce(1, (a, b) -> a * b);
        double[] result = new double[length];
        boolean extreme = kind == ReduceKind.MAX || kind == ReduceKind.MIN;
        Arrays.fill(
                result, !extreme ? 0 : kind == ReduceKind.MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
        for (int i = 0; i < x.length; i++) {
            int rest = i;
            int index = 0;
            int factor = 1;
            for (int axis = SHAPE.length - 1; axis >= 0; axis--) {
                int position = rest % (int) SHAPE[axis];
                rest /= (int) SHAPE[axis];
                index += (to[axis] == 1 ? 0 : position) * factor;
                factor *= (int) to[axis];
            }
            result[index] = switch (kind) {
                case SUM, MEAN -> result[index] + x[i];
                case MAX -> Math.max(result[index], x[i]);
                case MIN -> Math.min(result[index], x[i]);
            };
        }
        double n = kind == ReduceKind.MEAN ? (double) x.length / length : 1;
        return Arrays.stream(result).map(v -> v / n).toArray();
    }

    @ParameterizedTest
    @EnumSource(ReduceKind.class)
    void any_axes_of_any_strides_are_reduced(ReduceKind kind) {
        for (int bits = 0; bits < 16; bits++) {
            long[] to = SHAPE.clone();
            for (int axis = 0; axis < 4; axis++) {
                to[axis] = (bits >> axis & 1) == 1 ? 1 : to[axis];
            }
            for (int[] order : new int[][] {{0, 1, 2, 3}, {3, 1, 0, 2}}) {
                Numbers x = Numbers.ordered(order, SHAPE).randomise(1);
                for (Numbers dst : new Numbers[] {Numbers.zeros(to), Numbers.ordered(order, to)}) {
                    Kernel kernel = new Kernels().reduce(kind, x.operand, dst.operand);
                    kernel.run();
                    dst.isCloseTo(reference(kind, x.values(), to), 1e-6);
                    x.move();
                    dst.move().fill(() -> 7);
                    kernel.run();
                    dst.isCloseTo(reference(kind, x.values(), to), 1e-6);
                    Numbers.isFast(kernel);
                }
            }
        }
    }

    @Test
    void shapes_that_do_not_fit_are_named() {
        Operand x = Operand.dense(DataType.FLOAT, 3, 4);
        Operand dst = Operand.dense(DataType.FLOAT, 3, 2);
        assertThatThrownBy(() -> new Kernels().reduce(ReduceKind.SUM, x, dst))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("`x` FLOAT[3, 4] does not reduce to `dst` FLOAT[3, 2]");
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16", "INT", "LONG", "BOOL"})
    void every_type_is_filled_and_nothing_beside_it(DataType type) {
        double value = type == DataType.BOOL ? 1 : -3;
        Numbers whole = Numbers.strided(type, new long[] {4, 6}, new long[] {6, 1});
        Operand left = new Operand(type, new long[] {4, 3}, new long[] {6, 1});
        left.place(whole.operand.address());
        new Kernels().fill(value, left).run();
        double[] expected = new double[24];
        for (int i = 0; i < 24; i++) {
            expected[i] = i % 6 < 3 ? value : 0;
        }
        whole.isCloseTo(expected, 0);
    }
}
