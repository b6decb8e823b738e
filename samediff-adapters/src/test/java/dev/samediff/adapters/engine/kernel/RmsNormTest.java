package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RmsNormTest {
    private static final double EPSILON = 1e-6;
    private static final int D = 19;
    private final Numbers scale = Numbers.random(2, D);

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    private static double[] reference(double[] x, double @Nullable [] scale) {
        double[] y = new double[x.length];
        for (int start = 0; start < x.length; start += D) {
            double square = 0;
            for (int i = start; i < start + D; i++) {
                square += x[i] * x[i] / D;
            }
            for (int i = 0; i < D; i++) {
                y[start + i] = x[start + i] / Math.sqrt(square + EPSILON) * (scale == null ? 1 : scale[i]);
            }
        }
        return y;
    }

    private static Numbers[] inputs() {
        // A mean far from 0 tells this from layer norm, and would show cancellation.
        Numbers shifted = Numbers.random(1, 4, 3, D);
        double[] values = shifted.values();
        for (int i = 0; i < values.length; i++) {
            values[i] += 3;
        }
        return new Numbers[] {
            Numbers.random(1, 4, 3, D),
            shifted.set(values),
            Numbers.ordered(new int[] {2, 0, 1}, 4, 3, D).randomise(1)
        };
    }

    @Test
    void rows_are_divided_by_their_root_mean_square() {
        for (Numbers x : inputs()) {
            for (@Nullable Numbers g : new Numbers[] {scale, null}) {
                Numbers y = Numbers.zeros(4, 3, D);
                Numbers rstd = Numbers.zeros(4, 3);
                double[] expected = reference(x.values(), g == null ? null : g.values());
                Operand s = g == null ? null : g.operand;
                Kernel kernel = new LayerKernels().rmsNorm(EPSILON, x.operand, s, y.operand, rstd.operand);
                kernel.run();
                y.isCloseTo(expected, 2e-6);
                x.move();
                y.move();
                rstd.move();
                kernel.run();
                y.isCloseTo(expected, 2e-6);
                assertThat(rstd.values()[5])
                        .isCloseTo(reference(x.values(), null)[5 * D] / x.values()[5 * D], within(1e-5));
                Numbers.isFast(kernel);
                new LayerKernels()
                        .rmsNorm(EPSILON, x.operand, s, x.twin(), rstd.operand)
                        .run();
                x.isCloseTo(expected, 2e-6);
            }
        }
    }

    private static Offset<Double> within(double tolerance) {
        return Offset.offset(tolerance);
    }

    @Test
    void gradients_agree_with_finite_differences() {
        for (Numbers x : inputs()) {
            for (@Nullable Numbers g : new Numbers[] {scale, null}) {
                for (boolean wanted : new boolean[] {g != null, false}) {
                    Numbers dy = Numbers.random(5, 4, 3, D);
                    double[] upstream = dy.values();
                    Numbers rstd = Numbers.zeros(4, 3);
                    Operand s = g == null ? null : g.operand;
                    Operand y = Numbers.zeros(4, 3, D).operand;
                    new LayerKernels()
                            .rmsNorm(EPSILON, x.operand, s, y, rstd.operand)
                            .run();
                    @Nullable Numbers dScale = wanted ? Numbers.zeros(D) : null;
                    new LayerKernels()
                            .rmsNormGrad(
                                    dy.operand,
                                    x.operand,
                                    rstd.operand,
                                    s,
                                    dy.operand,
                                    dScale == null ? null : dScale.operand)
                            .run();
                    double[] scales = g == null ? null : g.values();
                    dy.isCloseTo(LayerNormTest.slopes(x.values(), upstream, v -> reference(v, scales)), 1e-5);
                    if (dScale != null && scales != null) {
                        dScale.isCloseTo(LayerNormTest.slopes(scales, upstream, v -> reference(x.values(), v)), 1e-5);
                    }
                }
            }
        }
    }
}
