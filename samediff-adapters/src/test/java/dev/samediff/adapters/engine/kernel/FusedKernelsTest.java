package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Rotary embedding, the gated unit, AdamW. */
class FusedKernelsTest {
    private static final long[] SHAPE = {2, 3, 5, 8};

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    /** The embedding as it is defined, with cos and sin [5,8] for each position. */
    private static double[] rotary(double[] x, double[] cos, double[] sin) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            int element = i % 8;
            int position = i / 8 % 5 * 8 + element;
            double partner = element < 4 ? -x[i + 4] : x[i - 4];
            y[i] = x[i] * cos[position] + partner * sin[position];
        }
        return y;
    }

    @Test
    void positions_rotate_pairs_whatever_the_strides() {
        Numbers cos = Numbers.random(1, 5, 8);
        Numbers sin = Numbers.random(2, 1, 1, 5, 8);
        for (int[] order : new int[][] {{0, 1, 2, 3}, {0, 2, 1, 3}, {3, 1, 0, 2}}) {
            Numbers x = Numbers.ordered(order, SHAPE).randomise(3);
            Numbers y = Numbers.zeros(SHAPE);
            double[] expected = rotary(x.values(), cos.values(), sin.values());
            Kernel kernel = Kernels.rotary(x.operand, cos.operand, sin.operand, y.operand);
            kernel.run();
            y.isCloseTo(expected, 1e-6);
            x.move();
            y.move();
            kernel.run();
            y.isCloseTo(expected, 1e-6);
            Kernels.rotary(x.operand, cos.operand, sin.operand, x.operand).run();
            x.isCloseTo(expected, 1e-6);
        }
    }

    @Test
    void gradients_of_rotations_agree_with_finite_differences() {
        Numbers cos = Numbers.random(1, 5, 8);
        Numbers sin = Numbers.random(2, 5, 8);
        Numbers dy = Numbers.ordered(new int[] {0, 2, 1, 3}, SHAPE).randomise(3);
        double[] expected =
                LayerNormTest.slopes(new double[240], dy.values(), x -> rotary(x, cos.values(), sin.values()));
        Kernels.rotaryGrad(dy.operand, cos.operand, sin.operand, dy.operand).run();
        dy.isCloseTo(expected, 1e-6);
        Operand odd = Operand.dense(DataType.FLOAT, 2, 3);
        assertThatThrownBy(() -> Kernels.rotary(odd, odd, odd, odd)).hasMessageContaining("must be even");
    }

    private static double swish(double a) {
        return a / (1 + Math.exp(-a));
    }

    /** Halves of one tensor [rows, 2 width], as a joint projection gives them, or dense ones. */
    private static Numbers[] gates(boolean joint, int rows, int width) {
        long[] shape = {rows, width};
        long[] strides = {joint ? 2L * width : width, 1};
        return new Numbers[] {
            Numbers.strided(DataType.FLOAT, shape, strides).randomise(1),
            Numbers.strided(DataType.FLOAT, shape, strides).randomise(2)
        };
    }

    @Test
    void gated_units_and_their_gradients_are_right_in_pieces_and_at_once() {
        for (boolean joint : new boolean[] {false, true}) {
            for (int rows : new int[] {3, 1001}) { // 1001 rows are several pieces and a rest
                int width = 300;
                Numbers[] gates = gates(joint, rows, width);
                Numbers dst = Numbers.zeros(rows, width);
                Numbers dy = Numbers.random(3, rows, width);
                double[] a = gates[0].values();
                double[] b = gates[1].values();
                double[] up = dy.values();
                double[] y = new double[a.length];
                double[] da = new double[a.length];
                double[] db = new double[a.length];
                for (int i = 0; i < a.length; i++) {
                    double sigmoid = 1 / (1 + Math.exp(-a[i]));
                    y[i] = swish(a[i]) * b[i];
                    da[i] = up[i] * b[i] * (sigmoid + a[i] * sigmoid * (1 - sigmoid));
                    db[i] = up[i] * swish(a[i]);
                }
                Kernel kernel = Kernels.swiglu(gates[0].operand, gates[1].operand, dst.operand);
                kernel.run();
                dst.isCloseTo(y, 2e-6);
                gates[0].move();
                gates[1].move();
                dst.move().fill(() -> 7);
                kernel.run();
                dst.isCloseTo(y, 2e-6);
                Numbers.isFast(kernel);
                Kernels.swigluGrad(dy.operand, gates[0].operand, gates[1].operand, gates[0].operand, dy.operand)
                        .run();
                gates[0].isCloseTo(da, 2e-6);
                dy.isCloseTo(db, 2e-6);
            }
        }
    }

    @Test
    void adamw_moves_parameters_as_pytorch_defines_it() {
        int[] lengths = {1, 7, 5000};
        AdamWUpdate update = new AdamWUpdate(0.9, 0.999, 1e-8);
        Numbers[][] all = new Numbers[lengths.length][];
        double[][] p = new double[lengths.length][];
        double[][] m = new double[lengths.length][];
        double[][] v = new double[lengths.length][];
        for (int i = 0; i < lengths.length; i++) {
            int n = lengths[i];
            all[i] =
                    new Numbers[] {Numbers.random(i, n), Numbers.random(10 + i, n), Numbers.zeros(n), Numbers.zeros(n)};
            p[i] = all[i][0].values();
            m[i] = new double[n];
            v[i] = new double[n];
            update.add(all[i][0].operand, all[i][1].operand, all[i][2].operand, all[i][3].operand);
        }
        for (int step = 1; step <= 3; step++) {
            double rate = 0.01 * step;
            update.run(step, rate, 0.1, 0.5);
            for (int i = 0; i < lengths.length; i++) {
                double[] g = Arrays.stream(all[i][1].values()).map(x -> x * 0.5).toArray();
                for (int j = 0; j < g.length; j++) {
                    p[i][j] *= 1 - rate * 0.1;
                    m[i][j] = 0.9 * m[i][j] + 0.1 * g[j];
                    v[i][j] = 0.999 * v[i][j] + 0.001 * g[j] * g[j];
                    double mean = m[i][j] / (1 - Math.pow(0.9, step));
                    double root = Math.sqrt(v[i][j] / (1 - Math.pow(0.999, step)));
                    p[i][j] -= rate * mean / (root + 1e-8);
                }
                all[i][0].isCloseTo(p[i], 1e-6);
                all[i][2].isCloseTo(m[i], 1e-6);
                all[i][3].isCloseTo(v[i], 1e-5);
                for (Numbers numbers : all[i]) {
                    numbers.move();
                }
            }
        }
        Operand few = Operand.dense(DataType.FLOAT, 3);
        assertThatThrownBy(() -> update.add(all[1][0].operand, few, few, few))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tensors of one length");
    }
}
