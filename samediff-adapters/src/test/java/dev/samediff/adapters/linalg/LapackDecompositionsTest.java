package dev.samediff.adapters.linalg;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class LapackDecompositionsTest {
    private final LapackDecompositions linalg = new LapackDecompositions();

    @ParameterizedTest
    @CsvSource({"1,1", "1,7", "7,1", "2,2", "40,13", "13,40", "33,33", "300,20", "20,300", "128,128"})
    void svd_and_qr_reconstruct_every_shape_order_and_type(int m, int n) {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            INDArray a = random(m, n, type);
            check(a.dup('c'));
            check(a.dup('f'));
            check(a.transpose());
        }
    }

    @Test
    void views_of_any_stride_are_accepted_and_not_changed() {
        INDArray whole = random(30, 40, DataType.FLOAT);
        check(whole.get(NDArrayIndex.interval(3, 2, 25), NDArrayIndex.interval(5, 3, 38)));
        check(whole.get(NDArrayIndex.interval(4, 20), NDArrayIndex.interval(1, 9)));
        check(whole.get(NDArrayIndex.interval(4, 20), NDArrayIndex.interval(1, 9))
                .transpose());
        INDArray cube = Nd4j.create(DataType.DOUBLE, 6, 5, 4)
                .addi(random(1, 120, DataType.DOUBLE).reshape(6, 5, 4));
        check(cube.get(NDArrayIndex.all(), NDArrayIndex.point(2), NDArrayIndex.all()));
        check(cube.permute(2, 1, 0).get(NDArrayIndex.point(1), NDArrayIndex.all(), NDArrayIndex.all()));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-40, 1e-30, 1e-10, 1e10, 1e30, 1e37})
    void tiny_and_huge_matrices_keep_their_relative_accuracy(double scale) {
        INDArray a = random(24, 16, DataType.FLOAT).muli(scale);
        Decompositions.Svd svd = linalg.svd(a);
        double tolerance = scale < 1e-38 ? 1e-3 : 1e-5; // denormal numbers have fewer digits
        assertThat(relativeError(a, rebuild(svd))).isLessThan(tolerance);
        assertThat(Orthonormality.ofColumns(svd.u())).isLessThan(2e-5);
    }

    @Test
    void zeros_and_rank_deficient_matrices_decompose() {
        INDArray zeros = Nd4j.zeros(DataType.FLOAT, 12, 9);
        Decompositions.Svd svd = linalg.svd(zeros);
        assertThat(svd.s().maxNumber().doubleValue()).isZero();
        assertThat(Orthonormality.ofColumns(svd.u())).isLessThan(1e-5);
        assertThat(Orthonormality.ofRows(svd.vt())).isLessThan(1e-5);
        check(random(30, 3, DataType.FLOAT).mmul(random(3, 20, DataType.FLOAT)));
        check(zeros);
    }

    @Test
    void singular_values_are_the_known_ones_and_descend() {
        INDArray a = Nd4j.createFromArray(new double[][] {{0, 2, 0}, {-3, 0, 0}, {0, 0, 0.5}, {0, 0, 0}});
        assertThat(linalg.svd(a).s().toDoubleVector()).containsExactly(new double[] {3, 2, 0.5}, within(1e-14));
    }

    @Test
    void r_is_upper_triangular_and_signs_are_those_of_lapack() {
        INDArray a = Nd4j.createFromArray(new double[][] {{3, 1}, {4, 2}, {0, 1}});
        Decompositions.Qr qr = linalg.qr(a);
        assertThat(qr.r().getDouble(1, 0)).isZero();
        assertThat(qr.r().getDouble(0, 0)).isCloseTo(-5, within(1e-14));
        Decompositions.Qr wide = linalg.qr(a.transpose());
        assertThat(wide.q().shape()).containsExactly(2, 2);
        assertThat(wide.r().shape()).containsExactly(2, 3);
        assertThat(wide.r().getDouble(1, 0)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 32, 150, 199, 200})
    void the_leading_part_of_q_and_r_is_that_of_the_whole(int rank) {
        for (DataType type : new DataType[] {DataType.DOUBLE, DataType.FLOAT}) {
            double eps = type == DataType.DOUBLE ? 1e-12 : 3e-4;
            for (INDArray a : List.of(
                    random(200, 300, type),
                    random(300, 200, type),
                    random(300, 200, type).transpose())) {
                INDArray before = a.dup();
                Decompositions.Qr whole = linalg.qr(a).leading(rank);
                Decompositions.Qr part = linalg.qr(a, rank);
                assertThat(relativeError(whole.q(), part.q())).isLessThan(eps);
                assertThat(relativeError(whole.r(), part.r())).isLessThan(eps);
                assertThat(Orthonormality.ofColumns(part.q())).isLessThan(eps);
                for (int i = 1; i < rank; i++) {
                    assertThat(part.r().getDouble(i, i - 1)).isZero();
                }
                assertThatBits(a).isEqualTo(before);
            }
        }
    }

    @Test
    void a_transformer_layer_decomposes() {
        check(random(768, 3072, DataType.FLOAT));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void values_that_are_not_finite_are_refused_by_place(float bad) {
        INDArray a = random(5, 4, DataType.FLOAT);
        a.putScalar(3, 1, bad);
        assertThatThrownBy(() -> linalg.svd(a))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at [3,1]");
        assertThatThrownBy(() -> linalg.svd(a, 2))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at [3,1]");
        assertThatThrownBy(() -> linalg.qr(a))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at [3,1]");
        assertThatThrownBy(() -> linalg.randomizedSvd(a.dup('f'), 2, 2, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at [3,1]");
    }

    @Test
    void what_is_no_matrix_is_refused() {
        assertThatThrownBy(() -> linalg.svd(Nd4j.create(DataType.FLOAT, 2, 3, 4)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("[2, 3, 4]");
        assertThatThrownBy(() -> linalg.qr(Nd4j.create(DataType.INT, 2, 3)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("INT");
        assertThatThrownBy(() -> linalg.randomizedSvd(Nd4j.create(DataType.FLOAT, 2, 3), 3, 1, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("rank 3");
    }

    @Test
    void gesvd_steps_in_where_gesdd_does_not_converge() {
        Lapack.SvdRoutine failing = (m, n, a, u, s, vt) -> {
            a.assign(Float.NaN); // LAPACK leaves garbage behind
            return 1;
        };
        LapackDecompositions sturdy = new LapackDecompositions(failing, Lapack::gesvd, LeadingSvd::compute);
        for (INDArray a : new INDArray[] {
            random(9, 5, DataType.FLOAT), random(5, 9, DataType.DOUBLE).dup('f')
        }) {
            assertThat(relativeError(a, rebuild(sturdy.svd(a)))).isLessThan(1e-5);
        }
        assertThatThrownBy(() -> new LapackDecompositions(failing, failing, LeadingSvd::compute)
                        .svd(random(3, 3, DataType.FLOAT)))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("did not converge (info 1)");
        assertThatThrownBy(() -> new LapackDecompositions((m, n, a, u, s, vt) -> -1010, failing, LeadingSvd::compute)
                        .svd(random(3, 3, DataType.FLOAT)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not enough memory");
    }

    @ParameterizedTest
    @CsvSource({"200,120", "120,200", "150,150"})
    void randomized_svd_is_near_optimal_on_a_decaying_spectrum(int m, int n) {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            INDArray a = withSpectrum(m, n, 0.8, type);
            Decompositions.Svd exact = linalg.svd(a, 8);
            Decompositions.Svd fast = linalg.randomizedSvd(a, 8, 4, 42);
            assertThat(fast.u().shape()).containsExactly(m, 8);
            assertThat(fast.vt().shape()).containsExactly(8, n);
            assertThat(relativeError(rebuild(exact), rebuild(fast))).isLessThan(1e-4);
            assertThat(Orthonormality.ofColumns(fast.u())).isLessThan(1e-5);
            assertThat(Orthonormality.ofRows(fast.vt())).isLessThan(1e-5);
            double optimal = relativeError(a, rebuild(exact));
            assertThat(relativeError(a, rebuild(fast))).isLessThan(1.001 * optimal);
        }
    }

    @Test
    void randomized_svd_depends_on_the_seed_and_the_memory_order_and_on_nothing_else() {
        INDArray a = random(90, 70, DataType.FLOAT);
        Decompositions.Svd one = linalg.randomizedSvd(a, 5, 2, 7);
        Nd4j.getRandom().setSeed(99);
        Nd4j.rand(3, 3);
        Decompositions.Svd two = linalg.randomizedSvd(a.dup(a.ordering()), 5, 2, 7);
        Decompositions.Svd other = linalg.randomizedSvd(a, 5, 2, 8);
        assertThatBits(one.u()).isEqualTo(two.u());
        assertThatBits(one.s()).isEqualTo(two.s());
        assertThatBits(one.vt()).isEqualTo(two.vt());
        assertThatBits(one.u()).isNotEqualTo(other.u());
        INDArray ordered = rebuild(linalg.randomizedSvd(a.dup(a.ordering() == 'c' ? 'f' : 'c'), 5, 2, 7));
        assertThat(relativeError(rebuild(one), ordered)).isBetween(1e-12, 1e-3);
    }

    @Test
    void randomized_svd_of_almost_full_rank_is_exact() {
        INDArray a = random(12, 15, DataType.FLOAT);
        assertThat(relativeError(a, rebuild(linalg.randomizedSvd(a, 12, 0, 1)))).isLessThan(1e-5);
        assertThat(linalg.randomizedSvd(a, 3, 0, 1).s().length()).isEqualTo(3);
    }

    @Test
    void the_gaussian_numbers_are_normal() {
        INDArray g = RandomizedSvd.gaussian(1001, 101, DataType.DOUBLE, 3);
        assertThat(g.meanNumber().doubleValue()).isCloseTo(0, within(0.02));
        assertThat(g.mul(g).meanNumber().doubleValue()).isCloseTo(1, within(0.02));
        assertThat(g.mul(g).mul(g).mul(g).meanNumber().doubleValue()).isCloseTo(3, within(0.15));
    }

    @Test
    void singular_values_are_those_of_torch() throws Exception {
        Path folder = SharedFiles.require("golden/data");
        try (var files = java.nio.file.Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".npz")).toList()) {
                Map<String, INDArray> data = Npz.read(file);
                INDArray expected = Npz.get(data, "singular_values").castTo(DataType.DOUBLE);
                INDArray s = linalg.svd(Npz.get(data, "W")).s().castTo(DataType.DOUBLE);
                assertThat(s.distance2(expected) / expected.norm2Number().doubleValue())
                        .as(file.toString())
                        .isLessThan(1e-6);
            }
        }
    }

    private void check(INDArray a) {
        INDArray before = a.dup();
        double eps = a.dataType() == DataType.DOUBLE ? 1e-13 : 3e-5;
        Decompositions.Svd svd = linalg.svd(a);
        assertThat(relativeError(a, rebuild(svd))).isLessThan(eps);
        assertThat(Orthonormality.ofColumns(svd.u())).isLessThan(10 * eps);
        assertThat(Orthonormality.ofRows(svd.vt())).isLessThan(10 * eps);
        assertThat(svd.s().dataType()).isEqualTo(a.dataType());
        Decompositions.Qr qr = linalg.qr(a);
        assertThat(relativeError(a, qr.q().castTo(DataType.DOUBLE).mmul(qr.r().castTo(DataType.DOUBLE))))
                .isLessThan(eps);
        assertThat(Orthonormality.ofColumns(qr.q())).isLessThan(10 * eps);
        assertThatBits(a).isEqualTo(before);
    }

    private static INDArray rebuild(Decompositions.Svd svd) {
        return svd.u()
                .castTo(DataType.DOUBLE)
                .mulRowVector(svd.s().castTo(DataType.DOUBLE))
                .mmul(svd.vt().castTo(DataType.DOUBLE));
    }

    private static double relativeError(INDArray expected, INDArray actual) {
        INDArray e = expected.castTo(DataType.DOUBLE);
        double norm = e.norm2Number().doubleValue();
        double error = actual.castTo(DataType.DOUBLE).sub(e).norm2Number().doubleValue();
        return norm == 0 ? error : error / norm;
    }

    private INDArray withSpectrum(int m, int n, double decay, DataType type) {
        int k = Math.min(m, n);
        double[] s = new double[k];
        for (int i = 0; i < k; i++) {
            s[i] = Math.pow(decay, i);
        }
        INDArray u = linalg.qr(random(m, k, DataType.DOUBLE)).q();
        INDArray v = linalg.qr(random(n, k, DataType.DOUBLE)).q();
        return u.mulRowVector(Nd4j.createFromArray(s)).mmul(v.transpose()).castTo(type);
    }

    private static INDArray random(int m, int n, DataType type) {
        return RandomizedSvd.gaussian(m, n, type, 31L * m + n);
    }
}
