package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class SoftmaxTest {
    private static final int ROW = 7;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    static double[] softmax(double[] x, int row) {
        double[] y = new double[x.length];
        for (int start = 0; start < x.length; start += row) {
            double max = Double.NEGATIVE_INFINITY;
            for (int i = start; i < start + row; i++) {
                max = Math.max(max, x[i]);
            }
            double sum = 0;
            for (int i = start; i < start + row; i++) {
                y[i] = Math.exp(x[i] - max);
                sum += y[i];
            }
            for (int i = start; i < start + row; i++) {
                y[i] /= sum;
            }
        }
        return y;
    }

    private static Numbers[] forms() {
        return new Numbers[] {
            Numbers.random(1, 3, 5, ROW),
            Numbers.ordered(new int[] {0, 1, 2}, 3, 5, ROW).randomise(1),
            Numbers.ordered(new int[] {2, 1, 0}, 3, 5, ROW).randomise(1)
        };
    }

    @Test
    void rows_become_distributions_whatever_the_strides() {
        for (Numbers x : forms()) {
            for (Numbers y : forms()) {
                Kernel kernel = new LayerKernels().softmax(x.operand, y.operand);
                kernel.run();
                y.isCloseTo(softmax(x.values(), ROW), 1e-6);
                x.move();
                y.move();
                kernel.run();
                y.isCloseTo(softmax(x.values(), ROW), 1e-6);
                Numbers.isFast(kernel);
            }
            double[] expected = softmax(x.values(), ROW);
            new LayerKernels().softmax(x.operand, x.operand).run();
            x.isCloseTo(expected, 1e-6);
        }
    }

    @Test
    void large_logits_do_not_overflow() {
        Numbers x = Numbers.of(1e4, 1e4 - 1, -3e38, 0);
        Numbers y = Numbers.zeros(4);
        new LayerKernels().softmax(x.operand, y.operand).run();
        y.isCloseTo(new double[] {1 / (1 + Math.exp(-1)), 1 / (1 + Math.E), 0, 0}, 1e-6);
    }

    @Test
    void logarithms_of_softmax_are_right() {
        for (Numbers x : forms()) {
            Numbers y = Numbers.zeros(3, 5, ROW);
            double[] expected = softmax(x.values(), ROW);
            for (int i = 0; i < expected.length; i++) {
                expected[i] = Math.log(expected[i]);
            }
            new LayerKernels().logSoftmax(x.operand, y.operand).run();
            y.isCloseTo(expected, 1e-6);
        }
    }

    @Test
    void gradients_are_right_whatever_the_strides() {
        for (Numbers y : forms()) {
            for (Numbers dy : forms()) {
                y.set(softmax(y.values(), ROW));
                Numbers dx = Numbers.zeros(3, 5, ROW);
                double[] expected = gradient(y.values(), dy.values());
                new LayerKernels()
                        .softmaxGrad(y.operand, dy.operand, dx.operand)
                        .run();
                dx.isCloseTo(expected, 2e-6);
                new LayerKernels()
                        .softmaxGrad(y.operand, dy.operand, dy.operand)
                        .run();
                dy.isCloseTo(expected, 2e-6);
            }
        }
    }

    private static double[] gradient(double[] y, double[] dy) {
        double[] dx = new double[y.length];
        for (int start = 0; start < y.length; start += ROW) {
            double dot = 0;
            for (int i = start; i < start + ROW; i++) {
                dot += y[i] * dy[i];
            }
            for (int i = start; i < start + ROW; i++) {
                dx[i] = y[i] * (dy[i] - dot);
            }
        }
        return dx;
    }

    @Test
    void shapes_that_differ_are_named() {
        Operand x = Operand.dense(DataType.FLOAT, 3, 4);
        Operand y = Operand.dense(DataType.FLOAT, 4, 3);
        assertThatThrownBy(() -> new LayerKernels().softmax(x, y))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the shape of `x` is [3, 4], expected [4, 3]");
    }
}
