package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

class AttentionTest {
    private static final double SCALE = 0.3;
    private static final int D = 6;
    private static final int E = 4;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    /** Sizes, inputs, and everything computed from them in double precision. */
    private static final class Problem {
        final int b;
        final int h;
        final int shared;
        final int t;
        final int s;
        final Numbers q;
        final Numbers k;
        final Numbers v;
        final @Nullable Numbers mask;

        Problem(int b, int h, int shared, int t, int s, boolean strided, @Nullable Numbers mask) {
            this.b = b;
            this.h = h;
            this.shared = shared;
            this.t = t;
            this.s = s;
            this.mask = mask;
            int[] order = strided ? new int[] {0, 2, 1, 3} : new int[] {0, 1, 2, 3};
            q = Numbers.ordered(order, b, h, t, D).randomise(1);
            k = Numbers.ordered(order, b, h / shared, s, D).randomise(2);
            v = Numbers.ordered(order, b, h / shared, s, E).randomise(3);
        }

        private double[] maskValues = {};

        private double maskAt(int batch, int head, int row, int key) {
            if (mask == null) {
                return 0;
            }
            int[] at = {batch, head, row, key};
            long[] shape = mask.operand.shape();
            long index = 0;
            for (int i = 0; i < 4; i++) {
                index = index * shape[i] + (shape[i] == 1 ? 0 : at[i]);
            }
            return maskValues[(int) index];
        }

        double[] probabilities() {
            maskValues = mask == null ? maskValues : mask.values();
            double[] scores = new double[b * h * t * s];
            double[] queries = q.values();
            double[] keys = k.values();
            int i = 0;
            for (int matrix = 0; matrix < b * h; matrix++) {
                for (int row = 0; row < t; row++) {
                    for (int key = 0; key < s; key++, i++) {
                        for (int j = 0; j < D; j++) {
                            scores[i] += SCALE
                                    * queries[(matrix * t + row) * D + j]
                                    * keys[(matrix / shared * s + key) * D + j];
                        }
                        // In float, as a number beside a huge mask is lost.
                        scores[i] = (float) (scores[i] + maskAt(matrix / h, matrix % h, row, key));
                    }
                }
            }
            return SoftmaxTest.softmax(scores, s);
        }

        double[] out(double[] p) {
            double[] out = new double[b * h * t * E];
            double[] values = v.values();
            for (int i = 0; i < p.length; i++) {
                int matrix = i / s / t;
                for (int e = 0; e < E; e++) {
                    out[i / s * E + e] += p[i] * values[(matrix / shared * s + i % s) * E + e];
                }
            }
            return out;
        }

        /** Gradients of q, k and v. */
        double[][] gradients(double[] dOut) {
            double[] p = probabilities();
            double[] values = v.values();
            double[] queries = q.values();
            double[] keys = k.values();
            double[] dp = new double[p.length];
            double[][] result = {new double[queries.length], new double[keys.length], new double[values.length]};
            for (int i = 0; i < p.length; i++) {
                int key = i / s / t / shared * s + i % s;
                for (int e = 0; e < E; e++) {
                    dp[i] += dOut[i / s * E + e] * values[key * E + e];
                    result[2][key * E + e] += p[i] * dOut[i / s * E + e];
                }
            }
            for (int start = 0; start < p.length; start += s) {
                double dot = 0;
                for (int i = start; i < start + s; i++) {
                    dot += p[i] * dp[i];
                }
                for (int i = start; i < start + s; i++) {
                    int key = i / s / t / shared * s + i % s;
                    for (int j = 0; j < D; j++) {
                        double slope = SCALE * p[i] * (dp[i] - dot);
                        result[0][i / s * D + j] += slope * keys[key * D + j];
                        result[1][key * D + j] += slope * queries[i / s * D + j];
                    }
                }
            }
            return result;
        }
    }

    private static Numbers causal(int b, int t, int s, double hidden) {
        double[] values = new double[b * t * s];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % s > i / s % t + s - t ? hidden : 0;
        }
        return Numbers.zeros(b, 1, t, s).set(values);
    }

    /** Hides keys from the end, differently in every batch; the first batch sees nothing at all. */
    private static Numbers padding(int b, int s) {
        double[] values = new double[b * s];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % s >= i / s * s / 3 ? -1e9 : 0;
        }
        return Numbers.zeros(b, 1, 1, s).set(values);
    }

    private static @Nullable Numbers mask(String name, int b, int h, int t, int s) {
        return switch (name) {
            case "none" -> null;
            case "causal" -> causal(1, t, s, -3.4e38);
            case "infinite" -> causal(b, t, s, Double.NEGATIVE_INFINITY);
            case "mild" -> causal(1, t, s, -10);
            case "padding" -> padding(b, s);
            default -> Numbers.random(7, 1, h, t, s);
        };
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 1, 1, none",
        "2, 3, 1, 5, 7, none",
        "2, 3, 1, 5, 7, bias",
        "2, 2, 1, 150, 150, causal", // rows in tiles with a rest, keys cut
        "2, 2, 1, 128, 200, infinite",
        "2, 2, 1, 128, 128, mild",
        "3, 2, 1, 70, 140, padding",
        "2, 6, 3, 5, 7, none", // heads that share keys and values
        "2, 6, 3, 150, 150, causal",
        "1, 4, 4, 100, 100, bias",
        "1, 40, 1, 128, 128, causal" // several chunks of heads
    })
    void results_and_gradients_agree_with_double_precision(int b, int h, int shared, int t, int s, String name) {
        for (boolean strided : new boolean[] {false, true}) {
            Problem p = new Problem(b, h, shared, t, s, strided, mask(name, b, h, t, s));
            Operand mask = p.mask == null ? null : p.mask.operand;
            Numbers out = Numbers.ordered(strided ? new int[] {0, 2, 1, 3} : new int[] {0, 1, 2, 3}, b, h, t, E);
            Kernel forward =
                    new LayerKernels().attention(p.q.operand, p.k.operand, p.v.operand, mask, SCALE, out.operand);
            Numbers.isFast(forward);
            forward.run();
            out.isCloseTo(p.out(p.probabilities()), 2e-6);
            for (Numbers moved : new Numbers[] {p.q, p.k, p.v, out}) {
                moved.move();
            }
            if (p.mask != null) {
                p.mask.move();
            }
            forward.run();
            out.isCloseTo(p.out(p.probabilities()), 2e-6);

            Numbers dOut = Numbers.random(4, b, h, t, E);
            Random garbage = new Random(5);
            Numbers dq = Numbers.zeros(p.q.operand.shape()).fill(garbage::nextGaussian);
            Numbers dk = Numbers.zeros(p.k.operand.shape()).fill(garbage::nextGaussian);
            Numbers dv = Numbers.zeros(p.v.operand.shape()).fill(garbage::nextGaussian);
            Kernel backward = new LayerKernels()
                    .attentionGrad(
                            dOut.operand,
                            p.q.operand,
                            p.k.operand,
                            p.v.operand,
                            mask,
                            SCALE,
                            dq.operand,
                            dk.operand,
                            dv.operand);
            backward.run();
            double[][] expected = p.gradients(dOut.values());
            dq.isCloseTo(expected[0], 1e-5);
            dk.isCloseTo(expected[1], 1e-5);
            dv.isCloseTo(expected[2], 1e-5);
            Numbers.isFast(backward);
        }
    }

    @Test
    void a_mask_that_changes_is_read_again() {
        Problem p = new Problem(1, 2, 1, 128, 128, false, causal(1, 128, 128, -1e9));
        Numbers out = Numbers.zeros(1, 2, 128, E);
        Numbers mask = Objects.requireNonNull(p.mask);
        Kernel kernel =
                new LayerKernels().attention(p.q.operand, p.k.operand, p.v.operand, mask.operand, SCALE, out.operand);
        kernel.run();
        mask.fill(() -> 0);
        kernel.run();
        out.isCloseTo(p.out(p.probabilities()), 2e-6);
    }

    @Test
    void shapes_that_do_not_fit_are_named() {
        Operand q = Operand.dense(DataType.FLOAT, 1, 4, 5, 6);
        Operand k = Operand.dense(DataType.FLOAT, 1, 3, 5, 6);
        assertThatThrownBy(() -> new LayerKernels().attention(q, k, k, null, 1, q))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("h a multiple of k");
        Operand mask = Operand.dense(DataType.FLOAT, 2, 5);
        assertThatThrownBy(() -> new LayerKernels().attention(q, q, q, mask, 1, q))
                .hasMessageContaining(
                        "the mask FLOAT[2, 5] cannot be repeated to the shape of the scores [1, 4, 5, 5]");
    }
}
