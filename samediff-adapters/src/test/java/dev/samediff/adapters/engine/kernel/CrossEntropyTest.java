package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.plan.Kernel;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

class CrossEntropyTest {
    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    /** Rows, labels and weights with rows that do not count, whose labels are -100 as in PyTorch. */
    private record Problem(Numbers logits, Numbers labels, Numbers weights) {
        static Problem of(int rows, int width, int hole, DataType type, double spread) {
            Random random = new Random(rows + width);
            Numbers logits = Numbers.strided(DataType.FLOAT, new long[] {rows, width}, new long[] {width + hole, 1})
                    .fill(() -> spread * random.nextGaussian());
            double[] weights = new double[rows];
            double[] labels = new double[rows];
            for (int i = 0; i < rows; i++) {
                boolean counts = i > rows / 3 && random.nextInt(4) != 0;
                weights[i] = counts ? 0.5 + random.nextDouble() : 0;
                labels[i] = counts ? random.nextInt(width) : -100;
            }
            Numbers ids =
                    Numbers.strided(type, new long[] {rows}, new long[] {1}).set(labels);
            return new Problem(logits, ids, Numbers.of(weights));
        }

        double loss() {
            double[] x = logits.values();
            int width = x.length / labels.values().length;
            double[] p = SoftmaxTest.softmax(x, width);
            double loss = 0;
            for (int i = 0; i < labels.values().length; i++) {
                if (weights.values()[i] != 0) {
                    loss -= weights.values()[i] * Math.log(p[i * width + (int) labels.values()[i]]);
                }
            }
            return loss;
        }

        double[] gradient(double scale) {
            double[] x = logits.values();
            double[] w = weights.values();
            double[] ids = labels.values();
            int width = x.length / ids.length;
            double[] p = SoftmaxTest.softmax(x, width);
            for (int i = 0; i < p.length; i++) {
                p[i] = scale * w[i / width] * (p[i] - (ids[i / width] == i % width ? 1 : 0));
            }
            return p;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 5, 0, INT",
        "7, 33, 0, LONG",
        "7, 33, 5, INT",
        "40, 5001, 0, INT", // several blocks and a rest
        "5, 70001, 0, LONG", // a row is larger than a block
    })
    void loss_and_gradient_agree_with_double_precision(int rows, int width, int hole, DataType type) {
        Problem problem = Problem.of(rows, width, hole, type, 2);
        if (rows == 1) {
            problem.weights.set(1);
            problem.labels.set(3);
        }
        Numbers loss = Numbers.zeros();
        Numbers logSumExp = Numbers.zeros(rows);
        Kernel forward = new LayerKernels()
                .crossEntropy(
                        problem.logits.operand,
                        problem.labels.operand,
                        problem.weights.operand,
                        loss.operand,
                        logSumExp.operand);
        forward.run();
        loss.isCloseTo(new double[] {problem.loss()}, 1e-6);
        problem.logits.move();
        problem.labels.move();
        loss.fill(() -> 7);
        forward.run();
        loss.isCloseTo(new double[] {problem.loss()}, 1e-6);
        Numbers.isFast(forward);

        Numbers scale = Numbers.of(0.25);
        Numbers dLogits =
                Numbers.strided(DataType.FLOAT, problem.logits.operand.shape(), problem.logits.operand.strides());
        double[] expected = problem.gradient(0.25);
        for (Numbers result : new Numbers[] {dLogits.fill(() -> 7), problem.logits}) {
            Kernel backward = new LayerKernels()
                    .crossEntropyGrad(
                            problem.logits.operand,
                            problem.labels.operand,
                            problem.weights.operand,
                            logSumExp.operand,
                            scale.operand,
                            result.operand);
            backward.run();
            result.isCloseTo(expected, 1e-5);
            Numbers.isFast(backward);
        }
    }

    @Test
    void rows_without_weight_have_exactly_no_gradient_however_large_their_logits() {
        Problem problem = Problem.of(12, 40, 0, DataType.INT, 1e4);
        Numbers logSumExp = Numbers.zeros(12);
        new LayerKernels()
                .crossEntropy(
                        problem.logits.operand,
                        problem.labels.operand,
                        problem.weights.operand,
                        Numbers.zeros().operand,
                        logSumExp.operand)
                .run();
        new LayerKernels()
                .crossEntropyGrad(
                        problem.logits.operand,
                        problem.labels.operand,
                        problem.weights.operand,
                        logSumExp.operand,
                        Numbers.of(1).operand,
                        problem.logits.operand)
                .run();
        double[] gradient = problem.logits.values();
        for (int i = 0; i < gradient.length; i++) {
            if (problem.weights.values()[i / 40] == 0) {
                assertThat(gradient[i]).isZero();
            }
        }
    }

    @Test
    void labels_that_are_no_column_are_named_when_it_runs() {
        Problem problem = Problem.of(4, 10, 0, DataType.INT, 1);
        problem.weights.set(0, 1, 1, 1);
        problem.labels.set(-100, 3, 10, 4);
        Kernel kernel = new LayerKernels()
                .crossEntropy(
                        problem.logits.operand,
                        problem.labels.operand,
                        problem.weights.operand,
                        Numbers.zeros().operand,
                        Numbers.zeros(4).operand);
        assertThatThrownBy(kernel::run)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the label at position 2 is 10, expected 0 to 9");
    }
}
