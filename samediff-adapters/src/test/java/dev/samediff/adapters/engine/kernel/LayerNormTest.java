package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class LayerNormTest {
    private static final double EPSILON = 1e-5;
    private static final int D = 19;
    private final Numbers scale = Numbers.random(2, D);
    private final Numbers shift = Numbers.random(3, D);

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    private static double[] reference(double[] x, double @Nullable [] scale, double @Nullable [] shift) {
        double[] y = new double[x.length];
        for (int start = 0; start < x.length; start += D) {
            double[] row = Arrays.copyOfRange(x, start, start + D);
            double mean = Arrays.stream(row).average().orElseThrow();
            double variance = Arrays.stream(row)
                    .map(v -> (v - mean) * (v - mean))
                    .average()
                    .orElseThrow();
            for (int i = 0; i < D; i++) {
                double normal = (row[i] - mean) / Math.sqrt(variance + EPSILON);
                y[start + i] = normal * (scale == null ? 1 : scale[i]) + (shift == null ? 0 : shift[i]);
            }
        }
        return y;
    }

    private static double[] values(@Nullable Numbers numbers) {
        return numbers == null ? null : numbers.values();
    }

    private static @Nullable Operand operand(@Nullable Numbers numbers) {
        return numbers == null ? null : numbers.operand;
    }

    @Test
    void rows_are_normalised_with_and_without_scale_and_shift() {
        for (Numbers x : new Numbers[] {
            Numbers.random(1, 4, 6, D),
            Numbers.ordered(new int[] {1, 2, 0}, 4, 6, D).randomise(1)
        }) {
            for (@Nullable Numbers g : new Numbers[] {scale, null}) {
                for (@Nullable Numbers b : new Numbers[] {shift, null}) {
                    for (Numbers y :
                            new Numbers[] {Numbers.zeros(4, 6, D), Numbers.ordered(new int[] {1, 0, 2}, 4, 6, D)}) {
                        Numbers mean = Numbers.zeros(4, 6);
                        Numbers variance = Numbers.zeros(4, 6);
                        Kernel kernel = new LayerKernels()
                                .layerNorm(
                                        EPSILON,
                                        x.operand,
                                        operand(g),
                                        operand(b),
                                        y.operand,
                                        mean.operand,
                                        variance.operand);
                        kernel.run();
                        y.isCloseTo(reference(x.values(), values(g), values(b)), 2e-6);
                        x.move();
                        y.move();
                        kernel.run();
                        y.isCloseTo(reference(x.values(), values(g), values(b)), 2e-6);
                        Numbers.isFast(kernel);
                    }
                }
            }
        }
    }

    @Test
    void mean_and_biased_variance_are_results() {
        Numbers x = Numbers.random(1, 1, D);
        Numbers mean = Numbers.zeros(1);
        Numbers variance = Numbers.zeros(1);
        new LayerKernels()
                .layerNorm(EPSILON, x.operand, null, null, Numbers.zeros(1, D).operand, mean.operand, variance.operand)
                .run();
        double m = Arrays.stream(x.values()).average().orElseThrow();
        mean.isCloseTo(new double[] {m}, 1e-5);
        double v = Arrays.stream(x.values()).map(e -> (e - m) * (e - m)).sum() / D;
        variance.isCloseTo(new double[] {v}, 1e-5);
    }

    @Test
    void gradients_agree_with_finite_differences() {
        for (@Nullable Numbers g : new Numbers[] {scale, null}) {
            for (boolean wantsScale : new boolean[] {true, false}) {
                for (boolean wantsShift : new boolean[] {true, false}) {
                    if (g != null || !wantsScale) {
                        checkGradients(Numbers.random(1, 4, D), Numbers.random(5, 4, D), g, wantsScale, wantsShift);
                        checkGradients(
                                Numbers.ordered(new int[] {1, 0}, 4, D).randomise(1),
                                Numbers.ordered(new int[] {0, 1}, 4, D).randomise(5),
                                g,
                                wantsScale,
                                wantsShift);
                    }
                }
            }
        }
    }

    private void checkGradients(Numbers x, Numbers dy, @Nullable Numbers g, boolean wantsScale, boolean wantsShift) {
        Numbers mean = Numbers.zeros(4);
        Numbers variance = Numbers.zeros(4);
        Operand y = Numbers.zeros(4, D).operand;
        new LayerKernels()
                .layerNorm(EPSILON, x.operand, operand(g), shift.operand, y, mean.operand, variance.operand)
                .run();
        @Nullable Numbers dScale = wantsScale ? Numbers.zeros(D) : null;
        @Nullable Numbers dShift = wantsShift ? Numbers.zeros(D) : null;
        double[] upstream = dy.values();
        new LayerKernels()
                .layerNormGrad(
                        EPSILON,
                        dy.operand,
                        x.operand,
                        mean.operand,
                        variance.operand,
                        operand(g),
                        dy.operand,
                        operand(dScale),
                        operand(dShift))
                .run();
        dy.isCloseTo(slopes(x.values(), upstream, v -> reference(v, values(g), shift.values())), 1e-5);
        if (dScale != null && g != null) {
            dScale.isCloseTo(slopes(g.values(), upstream, v -> reference(x.values(), v, shift.values())), 1e-5);
        }
        if (dShift != null) {
            dShift.isCloseTo(slopes(shift.values(), upstream, v -> reference(x.values(), values(g), v)), 1e-5);
        }
    }

    /** The gradient of sum(upstream f(v)) by v, by central differences. */
    static double[] slopes(double[] at, double[] upstream, UnaryOperator<double[]> f) {
        double h = 1e-5;
        double[] slopes = new double[at.length];
        for (int i = 0; i < at.length; i++) {
            double[] v = at.clone();
            v[i] = at[i] + h;
            double[] above = f.apply(v);
            v[i] = at[i] - h;
            double[] below = f.apply(v);
            for (int j = 0; j < upstream.length; j++) {
                slopes[i] += upstream[j] * (above[j] - below[j]) / (2 * h);
            }
        }
        return slopes;
    }

    @Test
    void a_gradient_of_a_missing_scale_is_refused() {
        Operand x = Operand.dense(DataType.FLOAT, 4, D);
        Operand rows = Operand.dense(DataType.FLOAT, 4);
        Operand d = Operand.dense(DataType.FLOAT, D);
        assertThatThrownBy(() -> new LayerKernels().layerNormGrad(EPSILON, x, x, rows, rows, null, x, d, null))
                .hasMessageContaining("`dScale` is wanted but there is no `scale`");
        assertThatThrownBy(() -> new LayerKernels().layerNorm(EPSILON, x, d, d, x, d, rows))
                .hasMessageContaining("`mean` is FLOAT[19]");
    }
}
