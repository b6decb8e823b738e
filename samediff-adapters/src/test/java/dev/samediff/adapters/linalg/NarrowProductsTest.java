package dev.samediff.adapters.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.openblas.global.openblas_full;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NarrowProductsTest {
    private static final double UNIT = 0x1p-53;

    /** Exact sums of exact products are the oracle; sizes around a tile's, and a stack whose tiles must not mix. */
    @ParameterizedTest
    @CsvSource({"1,7,5,3", "1,257,1025,4", "1,256,1024,1", "3,260,9,2", "2,1,2050,6", "4,5,6,40"})
    void a_sum_is_within_its_bound_of_the_exact_one(int stack, int each, int columns, int rank) {
        int rows = stack * each;
        double[] weight = numbers(rows * columns, 1);
        double[] left = numbers(rows * rank, 2);
        double[] right = numbers(stack * rank * columns, 3);
        double[] second = numbers(rows, 4);
        double[] secondRight = numbers(stack * columns, 5);
        NarrowProducts products = new NarrowProducts(stack);
        products.add(array(left, stack, each, rank), array(right, stack, rank, columns));
        products.add(array(second, stack, each, 1), array(secondRight, stack, 1, columns));
        double[] sums = compute(products, weight, rows, columns);

        SplittableRandom random = new SplittableRandom(6);
        for (int sample = 0; sample < 2000; sample++) {
            int row = random.nextInt(rows);
            int column = sample < 100 ? columns - 1 : random.nextInt(columns);
            int which = row / each;
            BigDecimal exact = new BigDecimal(weight[row * columns + column]);
            double magnitude = Math.abs(weight[row * columns + column]);
            for (int k = 0; k <= rank; k++) {
                double l = k < rank ? left[row * rank + k] : second[row];
                double r =
                        k < rank ? right[(which * rank + k) * columns + column] : secondRight[which * columns + column];
                exact = exact.add(new BigDecimal(l).multiply(new BigDecimal(r)));
                magnitude += Math.abs(l * r);
            }
            double error = exact.subtract(new BigDecimal(sums[row * columns + column]))
                    .abs()
                    .doubleValue();
            assertThat(error).as("[%d,%d]", row, column).isLessThanOrEqualTo((rank + 1 + 2) * UNIT * magnitude);
        }
    }

    @Test
    void factors_of_any_type_and_order_are_read() {
        INDArray left = array(numbers(6, 1), 1, 3, 2).reshape(3, 2);
        INDArray right = array(numbers(8, 2), 1, 2, 4).reshape(2, 4);
        NarrowProducts plain = new NarrowProducts(1);
        plain.add(left.castTo(DataType.FLOAT), right.castTo(DataType.FLOAT));
        NarrowProducts turned = new NarrowProducts(1);
        turned.add(
                left.castTo(DataType.FLOAT).castTo(DataType.DOUBLE).dup('f'),
                right.castTo(DataType.FLOAT).transpose().dup('c').transpose());
        double[] zeros = new double[12];
        assertThat(compute(turned, zeros, 3, 4)).isEqualTo(compute(plain, zeros, 3, 4));
    }

    @Test
    void the_bits_are_the_same_for_every_number_of_threads() {
        int rows = 700;
        int columns = 2100;
        double[] weight = numbers(rows * columns, 1);
        NarrowProducts products = new NarrowProducts(1);
        products.add(array(numbers(rows * 128, 2), 1, rows, 128), array(numbers(128 * columns, 3), 1, 128, columns));
        int before = openblas_full.openblas_get_num_threads();
        try {
            openblas_full.openblas_set_num_threads(1);
            double[] one = compute(products, weight, rows, columns);
            for (int threads : new int[] {2, 3}) {
                openblas_full.openblas_set_num_threads(threads);
                assertThat(Arrays.equals(compute(products, weight, rows, columns), one))
                        .as("%d threads", threads)
                        .isTrue();
                assertThat(openblas_full.openblas_get_num_threads()).isEqualTo(threads);
            }
        } finally {
            openblas_full.openblas_set_num_threads(before);
        }
    }

    @Test
    void a_failure_of_a_tile_comes_out_and_openblas_gets_its_threads_back() {
        int threads = openblas_full.openblas_get_num_threads();
        assertThatThrownBy(() -> new NarrowProducts(1).compute(600, 2, (tile, numbers) -> {}, (tile, numbers) -> {
                    throw new IllegalArgumentException("row " + tile.row());
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("row 0");
        assertThat(openblas_full.openblas_get_num_threads()).isEqualTo(threads);
    }

    private static double[] compute(NarrowProducts products, double[] weight, int rows, int columns) {
        double[] sums = new double[rows * columns];
        products.compute(
                rows,
                columns,
                (tile, into) -> {
                    for (int i = 0; i < tile.rows(); i++) {
                        int from = (tile.row() + i) * columns + tile.column();
                        System.arraycopy(weight, from, into, i * tile.columns(), tile.columns());
                    }
                },
                (tile, from) -> {
                    for (int i = 0; i < tile.rows(); i++) {
                        int to = (tile.row() + i) * columns + tile.column();
                        System.arraycopy(from, i * tile.columns(), sums, to, tile.columns());
                    }
                });
        return sums;
    }

    private static INDArray array(double[] numbers, int stack, int rows, int columns) {
        INDArray array = Nd4j.createFromArray(numbers);
        return stack == 1 ? array.reshape(rows, columns) : array.reshape(stack, rows, columns);
    }

    private static double[] numbers(int count, long seed) {
        return new SplittableRandom(seed).doubles(count, -1, 1).toArray();
    }
}
