package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.BinaryKind;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

class BinaryTest {
    private static final long[] SHAPE = {3, 4, 5};

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    private static DoubleBinaryOperator function(BinaryKind kind) {
        return switch (kind) {
            case ADD -> Double::sum;
            case SUBTRACT -> (a, b) -> a - b;
            case MULTIPLY -> (a, b) -> a * b;
            case DIVIDE -> (a, b) -> a / b;
            case MAXIMUM -> Math::max;
            case MINIMUM -> Math::min;
        };
    }

    private static double[] expected(BinaryKind kind, Numbers a, Numbers b) {
        double[] result = new double[60];
        for (int i = 0; i < result.length; i++) {
            result[i] = function(kind).applyAsDouble(element(a, i), element(b, i));
        }
        return result;
    }

    /** The element of a tensor that meets element i of the result, with leading axes missing and axes of size 1 repeated. */
    private static double element(Numbers x, int i) {
        long[] shape = x.operand.shape();
        long rest = i;
        long index = 0;
        long factor = 1;
        for (int axis = 2; axis >= 0; axis--) {
            long position = rest % SHAPE[axis];
            rest /= SHAPE[axis];
            int own = axis - (3 - shape.length);
            long size = own < 0 ? 1 : shape[own];
            index += (size == 1 ? 0 : position) * factor;
            factor *= size;
        }
        return x.values()[(int) index];
    }

    @ParameterizedTest
    @EnumSource(BinaryKind.class)
    void every_broadcast_on_either_side_is_right_and_fast(BinaryKind kind) {
        for (int bits = 0; bits < 64; bits++) {
            Numbers a = Numbers.random(1, cut(bits & 7));
            Numbers b = Numbers.random(2, cut(bits >> 3));
            Numbers dst = Numbers.zeros(SHAPE);
            Kernel kernel = new Kernels().binary(kind, a.operand, b.operand, dst.operand);
            kernel.run();
            dst.isCloseTo(expected(kind, a, b), 1e-6);
            Numbers.isFast(kernel);
            dst.fill(() -> 3).move();
            a.move();
            b.move();
            kernel.run();
            dst.isCloseTo(expected(kind, a, b), 1e-6);
        }
    }

    private static long[] cut(int bits) {
        long[] shape = SHAPE.clone();
        for (int axis = 0; axis < 3; axis++) {
            shape[axis] = (bits >> axis & 1) == 1 ? 1 : shape[axis];
        }
        return shape;
    }

    @ParameterizedTest
    @EnumSource(BinaryKind.class)
    void results_may_lie_where_an_operand_lies(BinaryKind kind) {
        for (int bits = 0; bits < 8; bits++) {
            Numbers other = Numbers.random(2, cut(bits));
            Numbers left = Numbers.random(1, SHAPE);
            double[] expected = expected(kind, left, other);
            new Kernels()
                    .binary(kind, left.operand, other.operand, left.operand)
                    .run();
            left.isCloseTo(expected, 1e-6);

            Numbers right = Numbers.random(1, SHAPE);
            expected = expected(kind, other, right);
            new Kernels()
                    .binary(kind, other.operand, right.operand, right.operand)
                    .run();
            right.isCloseTo(expected, 1e-6);
        }
    }

    @ParameterizedTest
    @EnumSource(BinaryKind.class)
    void results_may_lie_where_another_operand_lies_at_the_same_address(BinaryKind kind) {
        for (int bits = 0; bits < 8; bits++) {
            Numbers other = Numbers.random(2, cut(bits));
            Numbers right = Numbers.random(1, SHAPE);
            double[] expected = expected(kind, other, right);
            new Kernels()
                    .binary(kind, other.operand, right.operand, right.twin())
                    .run();
            right.isCloseTo(expected, 1e-6);
        }
    }

    @ParameterizedTest
    @EnumSource(BinaryKind.class)
    void strides_do_not_matter(BinaryKind kind) {
        int[][] orders = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
        for (int[] first : orders) {
            for (int[] second : orders) {
                for (int[] third : orders) {
                    Numbers a = Numbers.ordered(first, SHAPE).randomise(1);
                    Numbers b = Numbers.ordered(second, SHAPE).randomise(2);
                    Numbers dst = Numbers.ordered(third, SHAPE);
                    new Kernels()
                            .binary(kind, a.operand, b.operand, dst.operand)
                            .run();
                    dst.isCloseTo(expected(kind, a, b), 1e-6);
                }
            }
        }
    }

    @Test
    void missing_leading_axes_are_repeated() {
        Numbers a = Numbers.random(1, SHAPE);
        Numbers bias = Numbers.random(2, 5);
        Numbers scalar = Numbers.random(3);
        Numbers dst = Numbers.zeros(SHAPE);
        new Kernels()
                .binary(BinaryKind.ADD, a.operand, bias.operand, dst.operand)
                .run();
        dst.isCloseTo(expected(BinaryKind.ADD, a, bias), 1e-6);
        new Kernels()
                .binary(BinaryKind.DIVIDE, scalar.operand, a.operand, dst.operand)
                .run();
        dst.isCloseTo(expected(BinaryKind.DIVIDE, scalar, a), 1e-6);
    }

    @Test
    void shapes_that_do_not_fit_are_named() {
        Operand a = Operand.dense(DataType.FLOAT, 3, 4);
        Operand b = Operand.dense(DataType.FLOAT, 3, 2);
        assertThatThrownBy(() -> new Kernels().binary(BinaryKind.ADD, a, b, a))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("`b` FLOAT[3, 2] cannot be repeated to the shape of `dst` FLOAT[3, 4]");
        Operand ids = Operand.dense(DataType.INT, 3, 4);
        assertThatThrownBy(() -> new Kernels().binary(BinaryKind.ADD, a, ids, a))
                .hasMessageContaining("INT[3, 4]");
    }
}
