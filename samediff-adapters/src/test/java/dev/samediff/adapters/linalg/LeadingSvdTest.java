package dev.samediff.adapters.linalg;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LeadingSvdTest {
    private final LapackDecompositions linalg = new LapackDecompositions();

    @ParameterizedTest
    @CsvSource({
        "1,1,1",
        "1,7,1",
        "7,1,1",
        "2,2,1",
        "2,2,2",
        "40,13,5",
        "13,40,5",
        "33,33,33",
        "300,20,17",
        "20,300,20",
        "70,70,17",
        "150,120,65",
        "120,150,120"
    })
    void triplets_are_the_first_ones_of_the_whole_decomposition_with_their_signs(int m, int n, int rank) {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            INDArray a = random(m, n, type);
            for (INDArray layout : List.of(a.dup('c'), a.dup('f'), a.transpose())) {
                INDArray before = layout.dup();
                Decompositions.Svd leading = linalg.svd(layout, rank);
                Decompositions.Svd whole = linalg.svd(layout).leading(rank);
                double eps = type == DataType.DOUBLE ? 1e-13 : 1e-5;
                assertThat(relative(whole.s(), leading.s())).isLessThan(eps);
                assertThat(relative(product(whole), product(leading))).isLessThan(10 * eps);
                assertThat(residual(layout, leading)).isLessThan(residual(layout, whole) + eps);
                requireOrthonormal(leading, 10 * eps);
                double gaps = type == DataType.DOUBLE ? 1e-8 : 1e-2; // vectors of close values are less certain
                assertThat(relative(whole.u(), leading.u())).isLessThan(gaps);
                assertThat(relative(whole.vt(), leading.vt())).isLessThan(gaps);
                assertThat(leading.u().shape()).containsExactly(layout.rows(), rank);
                assertThat(leading.s().shape()).containsExactly(rank);
                assertThat(leading.vt().shape()).containsExactly(rank, layout.columns());
                assertThatBits(layout).isEqualTo(before);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"90,70", "70,90", "80,80"})
    void bits_of_a_triplet_do_not_depend_on_the_rank(int m, int n) {
        INDArray a = random(m, n, DataType.FLOAT);
        Decompositions.Svd all = linalg.svd(a, 70);
        for (int rank : new int[] {1, 3, 16, 17, 63, 64, 65}) {
            Decompositions.Svd some = linalg.svd(a, rank);
            assertThatBits(some.u()).isEqualTo(all.leading(rank).u());
            assertThatBits(some.s()).isEqualTo(all.leading(rank).s());
            assertThatBits(some.vt()).isEqualTo(all.leading(rank).vt());
        }
    }

    @Test
    void repeated_and_missing_singular_values_keep_vectors_orthonormal() {
        INDArray rankThree = random(60, 3, DataType.FLOAT).mmul(random(3, 45, DataType.FLOAT));
        INDArray repeated = linalg.qr(random(60, 45, DataType.FLOAT)).q().mul(3);
        INDArray clustered = repeated.add(random(60, 45, DataType.FLOAT).mul(1e-6));
        for (INDArray a : List.of(rankThree, repeated, clustered, Nd4j.eye(40).castTo(DataType.FLOAT))) {
            Decompositions.Svd svd = linalg.svd(a, 20);
            requireOrthonormal(svd, 1e-4);
            double s1 = svd.s().getDouble(0);
            assertThat(relative(
                            linalg.svd(a).s(),
                            linalg.svd(a, (int) Math.min(a.rows(), a.columns())).s()))
                    .isLessThan(1e-5);
            assertThat(a.mmul(svd.vt().transpose())
                            .sub(svd.u().mulRowVector(svd.s()))
                            .normmaxNumber()
                            .doubleValue())
                    .as("||A v - s u||")
                    .isLessThan(1e-5 * s1);
        }
        assertThat(linalg.svd(rankThree, 5).s().getDouble(4)).isLessThan(1e-4);
    }

    @Test
    void zeros_have_orthonormal_vectors() {
        Decompositions.Svd svd = linalg.svd(Nd4j.zeros(DataType.FLOAT, 12, 9), 4);
        assertThat(svd.s().maxNumber().doubleValue()).isZero();
        requireOrthonormal(svd, 1e-5);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-40, 1e-30, 1e-13, 1e-10, 1e10, 1e13, 1e30, 1e37})
    void tiny_and_huge_matrices_are_those_of_the_whole_decomposition(double scale) {
        INDArray a = random(24, 16, DataType.FLOAT).muli(scale);
        double eps = scale < 1e-38 ? 1e-3 : 1e-5; // denormal numbers have fewer digits
        assertThat(relative(linalg.svd(a).leading(5).s(), linalg.svd(a, 5).s())).isLessThan(eps);
        Decompositions.Svd fast = linalg.randomizedSvd(a, 2, 16, 1);
        assertThat(relative(linalg.svd(a).leading(2).s(), fast.s())).isLessThan(2e-3);
    }

    @Test
    void the_whole_decomposition_steps_in_where_divide_and_conquer_does_not_converge() {
        LapackDecompositions sturdy = new LapackDecompositions(Lapack::gesdd, Lapack::gesvd, (m, n, a, rank) -> {
            a.assign(Float.NaN); // LAPACK leaves garbage behind
            return Optional.empty();
        });
        INDArray a = random(9, 5, DataType.FLOAT);
        assertThatBits(sturdy.svd(a, 3).u()).isEqualTo(linalg.svd(a).leading(3).u());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 6})
    void a_rank_that_does_not_fit_is_refused(int rank) {
        assertThatThrownBy(() -> linalg.svd(random(9, 5, DataType.FLOAT), rank))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("rank " + rank)
                .hasMessageContaining("[9, 5]")
                .hasMessageContaining("1 to 5");
    }

    private static void requireOrthonormal(Decompositions.Svd svd, double eps) {
        assertThat(Orthonormality.ofColumns(svd.u())).isLessThan(eps);
        assertThat(Orthonormality.ofRows(svd.vt())).isLessThan(eps);
    }

    private static INDArray product(Decompositions.Svd svd) {
        return doubles(svd.u()).mulRowVector(doubles(svd.s())).mmul(doubles(svd.vt()));
    }

    private static double residual(INDArray a, Decompositions.Svd svd) {
        return relative(a, product(svd));
    }

    /** ||actual - expected|| / ||expected||. */
    private static double relative(INDArray expected, INDArray actual) {
        INDArray e = doubles(expected);
        return doubles(actual).sub(e).norm2Number().doubleValue()
                / e.norm2Number().doubleValue();
    }

    private static INDArray doubles(INDArray a) {
        return a.castTo(DataType.DOUBLE);
    }

    private static INDArray random(int m, int n, DataType type) {
        return RandomizedSvd.gaussian(m, n, type, 31L * m + n);
    }
}
