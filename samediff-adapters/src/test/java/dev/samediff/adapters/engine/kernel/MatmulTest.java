package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class MatmulTest {
    private static final double CLOSE = 2e-6;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    /** Computes alpha a b + extra in double; extra has the shape of the result. */
    private static double[] product(Numbers a, Numbers b, long[] dst, double alpha, double @Nullable [] extra) {
        int rank = dst.length;
        long m = dst[rank - 2];
        long n = dst[rank - 1];
        long k = a.operand.shape()[a.operand.shape().length - 1];
        double[] x = a.values();
        double[] y = b.values();
        double[] result = new double[(int) Arrays.stream(dst).reduce(1, (p, q) -> p * q)];
        for (int i = 0; i < result.length; i++) {
            long column = i % n;
            long row = i / n % m;
            long batch = i / (n * m);
            double sum = 0;
            for (long j = 0; j < k; j++) {
                long left = (batchOf(batch, dst, a.operand.shape()) * m + row) * k + j;
                long right = (batchOf(batch, dst, b.operand.shape()) * k + j) * n + column;
                sum += x[(int) left] * y[(int) right];
            }
            result[i] = alpha * sum + (extra == null ? 0 : extra[i]);
        }
        return result;
    }

    /** The index of the matrix of an operand that belongs to the index of a matrix of the result. */
    private static long batchOf(long batch, long[] dst, long[] shape) {
        long index = 0;
        long factor = 1;
        for (int i = 2; i < dst.length; i++) {
            long size = dst[dst.length - 1 - i];
            long position = batch % size;
            batch /= size;
            long own = i < shape.length ? shape[shape.length - 1 - i] : 1;
            index += (own == 1 ? 0 : position) * factor;
            factor *= own;
        }
        return index;
    }

    /** Repeats a tensor to a shape of the same rank. */
    private static double[] repeated(Numbers x, long... dst) {
        double[] values = x.values();
        long[] shape = x.operand.shape();
        double[] result = new double[(int) Arrays.stream(dst).reduce(1, (p, q) -> p * q)];
        for (int i = 0; i < result.length; i++) {
            long rest = i;
            long index = 0;
            long factor = 1;
            for (int axis = dst.length - 1; axis >= 0; axis--) {
                long position = rest % dst[axis];
                rest /= dst[axis];
                index += (shape[axis] == 1 ? 0 : position) * factor;
                factor *= shape[axis];
            }
            result[i] = values[(int) index];
        }
        return result;
    }

    private static void check(Numbers a, Numbers b, Numbers dst) {
        Kernel kernel = new Kernels().matmul(a.operand, b.operand, null, dst.operand, 1, false);
        kernel.run();
        double[] expected = product(a, b, dst.operand.shape(), 1, null);
        dst.isCloseTo(expected, CLOSE);
        a.move();
        b.move();
        dst.fill(() -> 7).move();
        kernel.run();
        dst.isCloseTo(expected, CLOSE);
        Numbers.isFast(kernel);
    }

    @Test
    void matrices_are_multiplied_whatever_their_strides() {
        int[][] orders = {{0, 1}, {1, 0}};
        for (int[] a : orders) {
            for (int[] b : orders) {
                for (int[] dst : orders) {
                    check(
                            Numbers.ordered(a, 33, 20).randomise(1),
                            Numbers.ordered(b, 20, 47).randomise(2),
                            Numbers.ordered(dst, 33, 47));
                }
            }
        }
    }

    @Test
    void single_rows_columns_and_inner_axes_work() {
        for (long[] mkn : new long[][] {{1, 20, 47}, {33, 20, 1}, {33, 1, 47}, {1, 1, 1}, {1, 64, 1}}) {
            check(Numbers.random(1, mkn[0], mkn[1]), Numbers.random(2, mkn[1], mkn[2]), Numbers.zeros(mkn[0], mkn[2]));
            check(
                    Numbers.ordered(new int[] {1, 0}, mkn[0], mkn[1]).randomise(1),
                    Numbers.ordered(new int[] {1, 0}, mkn[1], mkn[2]).randomise(2),
                    Numbers.ordered(new int[] {1, 0}, mkn[0], mkn[2]));
        }
    }

    @Test
    void batches_heads_and_groups_of_heads_are_multiplied() {
        check(Numbers.random(1, 5, 7, 8), Numbers.random(2, 8, 6), Numbers.zeros(5, 7, 6));
        check(Numbers.random(1, 5, 7, 8), Numbers.random(2, 5, 8, 6), Numbers.zeros(5, 7, 6));
        check(Numbers.random(1, 2, 3, 7, 8), Numbers.random(2, 2, 3, 8, 6), Numbers.zeros(2, 3, 7, 6));
        check(Numbers.random(1, 2, 6, 7, 8), Numbers.random(2, 2, 1, 8, 6), Numbers.zeros(2, 6, 7, 6));
        check(Numbers.random(1, 7, 8), Numbers.random(2, 2, 3, 8, 6), Numbers.zeros(2, 3, 7, 6));
        check(Numbers.random(1, 2, 2, 3, 7, 8), Numbers.random(2, 2, 2, 1, 8, 6), Numbers.zeros(2, 2, 3, 7, 6));
        check(Numbers.random(1, 1, 3, 7, 8), Numbers.random(2, 2, 1, 8, 6), Numbers.zeros(2, 3, 7, 6));
    }

    @Test
    void heads_are_read_out_of_a_joint_projection_without_a_copy() {
        long[] sizes = {2, 3, 5, 4};
        long[] strides = {5 * 36, 4, 36, 1};
        Numbers q = Numbers.strided(DataType.FLOAT, sizes, strides).randomise(1);
        Numbers k = Numbers.strided(DataType.FLOAT, new long[] {2, 3, 4, 5}, new long[] {5 * 36, 4, 1, 36})
                .randomise(2);
        Numbers scores = Numbers.zeros(2, 3, 5, 5);
        check(q, k, scores);
        Numbers merged = Numbers.strided(DataType.FLOAT, sizes, new long[] {5 * 12, 4, 12, 1});
        check(scores, q, merged);
    }

    /** oneDNN 3.8 defect: its kernel reads the batch of single rows of this shape, and of no smaller one, from wrong places. */
    @Test
    void single_rows_are_read_out_of_a_joint_projection() {
        for (long batch = 1; batch <= 5; batch++) {
            Numbers q = Numbers.strided(DataType.FLOAT, new long[] {batch, 2, 1, 8}, new long[] {48, 8, 48, 1})
                    .randomise(1);
            check(q, Numbers.random(2, batch, 2, 8, 12), Numbers.zeros(batch, 2, 1, 12));
        }
    }

    @Test
    void repeated_axes_of_stride_zero_are_read() {
        Numbers b = Numbers.strided(DataType.FLOAT, new long[] {3, 8, 6}, new long[] {0, 6, 1})
                .randomise(2);
        check(Numbers.random(1, 3, 7, 8), b, Numbers.zeros(3, 7, 6));
        Numbers row = Numbers.strided(DataType.FLOAT, new long[] {7, 8}, new long[] {0, 1})
                .randomise(2);
        check(row, Numbers.random(1, 8, 6), Numbers.zeros(7, 6));
    }

    @Test
    void bias_scale_and_accumulation_combine() {
        for (int[] order : new int[][] {{0, 1}, {1, 0}}) {
            for (double alpha : new double[] {1, 0.25}) {
                for (boolean accumulate : new boolean[] {false, true}) {
                    for (boolean biased : new boolean[] {false, true}) {
                        Numbers a = Numbers.random(1, 17, 12);
                        Numbers b = Numbers.random(2, 12, 9);
                        Numbers bias = Numbers.random(3, 9);
                        Numbers dst = Numbers.ordered(order, 17, 9).randomise(4);
                        double[] before = dst.values();
                        double[] extra = new double[before.length];
                        for (int i = 0; i < extra.length; i++) {
                            extra[i] = (accumulate ? before[i] : 0) + (biased ? bias.values()[i % 9] : 0);
                        }
                        new Kernels()
                                .matmul(
                                        a.operand,
                                        b.operand,
                                        biased ? bias.operand : null,
                                        dst.operand,
                                        alpha,
                                        accumulate)
                                .run();
                        dst.isCloseTo(product(a, b, dst.operand.shape(), alpha, extra), CLOSE);
                    }
                }
            }
        }
    }

    @Test
    void masks_of_every_broadcast_form_are_added() {
        long[] dst = {2, 3, 5, 6};
        for (int bits = 0; bits < 16; bits++) {
            long[] shape = dst.clone();
            for (int axis = 0; axis < 4; axis++) {
                shape[axis] = (bits >> axis & 1) == 1 ? 1 : shape[axis];
            }
            Numbers mask = Numbers.random(3, shape);
            Numbers scores = Numbers.zeros(dst);
            Numbers dense = Numbers.random(1, 2, 3, 5, 4);
            Numbers heads = Numbers.strided(DataType.FLOAT, new long[] {2, 3, 5, 4}, new long[] {60, 4, 12, 1})
                    .randomise(4);
            Numbers k = Numbers.random(2, 2, 3, 4, 6);
            for (Numbers q : new Numbers[] {dense, heads}) {
                Kernel kernel = new Kernels().matmulMasked(q.operand, k.operand, mask.operand, scores.operand, 0.5);
                kernel.run();
                scores.isCloseTo(product(q, k, dst, 0.5, repeated(mask, dst)), CLOSE);
                Numbers.isFast(kernel);
            }
        }
    }

    @Test
    void bf16_operands_give_float_sums() {
        Numbers a = Numbers.strided(DataType.BFLOAT16, new long[] {17, 32}, new long[] {32, 1})
                .randomise(1);
        Numbers b = Numbers.strided(DataType.BFLOAT16, new long[] {32, 48}, new long[] {1, 32})
                .randomise(2);
        Numbers dst = Numbers.zeros(17, 48);
        new Kernels().matmul(a.operand, b.operand, null, dst.operand, 1, false).run();
        dst.isCloseTo(product(a, b, dst.operand.shape(), 1, null), 1e-5);

        Numbers floats = Numbers.random(3, 17, 32);
        new Kernels()
                .matmul(floats.operand, b.operand, null, dst.operand, 1, true)
                .run();
        double[] sum = product(a, b, dst.operand.shape(), 1, product(floats, b, dst.operand.shape(), 1, null));
        dst.isCloseTo(sum, 1e-5);
    }

    @Test
    void operands_that_do_not_fit_are_named() {
        Operand a = Operand.dense(DataType.FLOAT, 3, 4);
        Operand b = Operand.dense(DataType.FLOAT, 5, 6);
        Operand dst = Operand.dense(DataType.FLOAT, 3, 6);
        assertThatThrownBy(() -> new Kernels().matmul(a, b, null, dst, 1, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a FLOAT[3, 4] times b FLOAT[5, 6] does not give dst FLOAT[3, 6]");
        Operand bias = Operand.dense(DataType.FLOAT, 5);
        Operand right = Operand.dense(DataType.FLOAT, 4, 6);
        assertThatThrownBy(() -> new Kernels().matmul(a, right, bias, dst, 1, false))
                .hasMessageContaining("bias [n]");
        Operand repeated = new Operand(DataType.FLOAT, new long[] {3, 6}, new long[] {0, 1});
        assertThatThrownBy(() -> new Kernels().matmul(a, right, null, repeated, 1, false))
                .hasMessageContaining("must not have a broadcast axis");
    }

    @Test
    void an_operand_without_a_place_is_refused_at_run_time() {
        Numbers a = Numbers.random(1, 3, 4);
        Numbers b = Numbers.random(2, 4, 6);
        Operand dst = Operand.dense(DataType.FLOAT, 3, 6);
        Kernel kernel = new Kernels().matmul(a.operand, b.operand, null, dst, 1, false);
        assertThatThrownBy(kernel::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("has no place in memory yet");
    }

    @Test
    void a_large_right_matrix_in_rows_is_packed_for_the_call() {
        Numbers a = Numbers.random(1, 200, 300);
        Numbers b = Numbers.random(2, 300, 260);
        Numbers bias = Numbers.random(3, 260);
        Numbers dst = Numbers.random(4, 200, 260);
        double[] before = dst.values();
        double[] added = repeated(Numbers.random(3, 1, 260), 200, 260);
        Kernel kernel = new Kernels().matmul(a.operand, b.operand, bias.operand, dst.operand, 0.5, true);
        assertThat(kernel.describe().split(" \\+ ")).as("a copy and a product").hasSize(2);
        for (int i = 0; i < before.length; i++) {
            added[i] += before[i];
        }
        kernel.run();
        dst.isCloseTo(product(a, b, new long[] {200, 260}, 0.5, added), 1e-5);
    }

    @Test
    void a_narrow_result_of_a_matrix_read_by_columns_is_computed_by_rows() {
        Numbers a = Numbers.ordered(new int[] {1, 0}, 90, 53).randomise(1);
        Numbers b = Numbers.random(2, 53, 16);
        Numbers dst = Numbers.zeros(90, 16);
        Kernel kernel = new Kernels().matmul(a.operand, b.operand, null, dst.operand, 0.5, false);
        assertThat(kernel.describe().split(" \\+ ")).as("a product and a copy").hasSize(2);
        kernel.run();
        dst.isCloseTo(product(a, b, new long[] {90, 16}, 0.5, null), CLOSE);
    }

    @Test
    void one_copy_is_kept_of_a_matrix_and_made_anew_when_told() {
        try (PackedMatrices packed = new PackedMatrices()) {
            Numbers b = Numbers.random(2, 320, 256);
            PackedMatrices.Matrix matrix = packed.of("weight");
            Numbers few = Numbers.random(1, 70, 320);
            Numbers many = Numbers.random(3, 400, 320);
            Numbers one = Numbers.zeros(70, 256);
            Numbers other = Numbers.zeros(400, 256);
            Kernel first = new Kernels().matmul(few.operand, b.operand, matrix, null, one.operand, 1, false);
            Kernel second = new Kernels().matmul(many.operand, b.operand, matrix, null, other.operand, 1, false);
            first.run();
            second.run();
            one.isCloseTo(product(few, b, new long[] {70, 256}, 1, null), 1e-5);
            other.isCloseTo(product(many, b, new long[] {400, 256}, 1, null), 1e-5);
            long bytes = packed.bytes();
            assertThat(bytes).as("one copy").isBetween(320L * 256 * 4, 320L * 256 * 4 * 5 / 4);

            double[] before = one.values();
            b.randomise(5);
            first.run();
            assertThat(one.values()).as("the copy, not the matrix, is read").isEqualTo(before);
            matrix.expire();
            first.run();
            second.run();
            one.isCloseTo(product(few, b, new long[] {70, 256}, 1, null), 1e-5);
            other.isCloseTo(product(many, b, new long[] {400, 256}, 1, null), 1e-5);
            assertThat(packed.bytes()).isEqualTo(bytes);
        }
    }

    /** The few rows of DoRA's A^T W: a copy that is there is read by them too, and none is made for them. */
    @Test
    void few_rows_read_a_copy_that_another_product_has_kept() {
        try (PackedMatrices packed = new PackedMatrices()) {
            Numbers b = Numbers.random(2, 320, 256);
            PackedMatrices.Matrix matrix = packed.of("weight");
            Numbers few = Numbers.ordered(new int[] {1, 0}, 16, 320).randomise(1);
            Numbers one = Numbers.zeros(16, 256);
            Kernel alone = new Kernels().matmul(few.operand, b.operand, matrix, null, one.operand, 2, false);
            assertThat(packed.bytes()).isZero();
            alone.run();
            one.isCloseTo(product(few, b, new long[] {16, 256}, 2, null), 1e-5);
            Numbers many = Numbers.random(3, 400, 320);
            new Kernels().matmul(many.operand, b.operand, matrix, null, Numbers.zeros(400, 256).operand, 1, false);
            Kernel beside = new Kernels().matmul(few.operand, b.operand, matrix, null, one.operand, 2, false);
            beside.run();
            double[] before = one.values();
            one.isCloseTo(product(few, b, new long[] {16, 256}, 2, null), 1e-5);
            b.randomise(5);
            beside.run();
            assertThat(one.values()).as("the copy is read").isEqualTo(before);
            matrix.expire();
            beside.run();
            one.isCloseTo(product(few, b, new long[] {16, 256}, 2, null), 1e-5);
        }
    }

    @Test
    void a_right_matrix_of_over_four_million_numbers_is_packed_in_parts() {
        Numbers a = Numbers.random(1, 192, 1200);
        Numbers b = Numbers.random(2, 1200, 3600);
        Numbers dst = Numbers.strided(DataType.FLOAT, new long[] {192, 3600}, new long[] {3700, 1});
        Kernel kernel = new Kernels().matmul(a.operand, b.operand, null, dst.operand, 1, false);
        assertThat(kernel.describe().split(" \\+ "))
                .as("two copies and two products")
                .hasSize(4);
        kernel.run();
        double[] x = a.values();
        double[] y = b.values();
        double[] result = dst.values();
        for (int row = 0; row < 192; row += 37) {
            for (int column = 0; column < 3600; column += 7) {
                double sum = 0;
                for (int k = 0; k < 1200; k++) {
                    sum += x[row * 1200 + k] * y[k * 3600 + column];
                }
                assertThat(result[row * 3600 + column]).isCloseTo(sum, within(1e-3));
            }
        }
    }
}
