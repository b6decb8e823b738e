package dev.samediff.adapters.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.Decompositions.Qr;
import dev.samediff.adapters.linalg.Decompositions.Svd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class LapackDecompositionsTest {
    private final Decompositions linalg = new LapackDecompositions();

    @ParameterizedTest
    @CsvSource({"1,1,1", "7,3,1", "3,7,1", "24,16,1", "16,24,1e-6", "64,64,1e6", "130,257,1", "96,384,1"})
    void svd_reconstructs_with_orthonormal_factors(int m, int n, double scale) {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            INDArray a = random(m, n, type).muli(scale);
            INDArray before = a.dup();
            Svd svd = linalg.svd(a);
            INDArray back = svd.u().mulRowVector(svd.s()).mmul(svd.vt());
            assertThat(relative(back, a)).isLessThan(type == DataType.FLOAT ? 5e-6 : 1e-13);
            assertOrthonormal(svd.u(), type);
            assertOrthonormal(svd.vt().transpose(), type);
            for (int i = 1; i < svd.s().length(); i++) {
                assertThat(svd.s().getDouble(i)).isLessThanOrEqualTo(svd.s().getDouble(i - 1));
            }
            assertThat(a).as("the input is not modified").isEqualTo(before);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "7,3", "3,7", "24,16", "16,24", "64,64", "257,130"})
    void qr_reconstructs_for_tall_and_wide(int m, int n) {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            INDArray a = random(m, n, type);
            Qr qr = linalg.qr(a);
            int k = Math.min(m, n);
            assertThat(qr.q().shape()).containsExactly(m, k);
            assertThat(qr.r().shape()).containsExactly(k, n);
            assertThat(relative(qr.q().mmul(qr.r()), a)).isLessThan(type == DataType.FLOAT ? 5e-6 : 1e-13);
            assertOrthonormal(qr.q(), type);
            for (int i = 1; i < k; i++) {
                assertThat(qr.r().getDouble(i, i - 1)).isZero();
            }
        }
    }

    @Test
    void views_and_transposes_are_decomposed_as_what_they_show() {
        INDArray big = random(40, 30, DataType.FLOAT);
        INDArray view = big.get(NDArrayIndex.interval(3, 20), NDArrayIndex.interval(5, 29));
        Svd ofView = linalg.svd(view);
        Svd ofCopy = linalg.svd(view.dup());
        assertThat(relative(ofView.s(), ofCopy.s())).isLessThan(1e-6);
        Svd ofTranspose = linalg.svd(view.transpose());
        assertThat(relative(ofTranspose.s(), ofCopy.s())).isLessThan(1e-6);
    }

    @Test
    void randomized_svd_finds_a_decaying_spectrum_and_repeats_itself() {
        for (int[] shape : new int[][] {{120, 80}, {80, 120}}) {
            INDArray a = withSpectrum(shape[0], shape[1], 0.7);
            Svd exact = linalg.svd(a);
            Svd fast = linalg.randomizedSvd(a, 8, 4, 42);
            assertThat(relative(fast.s(), exact.s().get(NDArrayIndex.interval(0, 8))))
                    .isLessThan(1e-5);
            INDArray fastProduct = fast.u().mulRowVector(fast.s()).mmul(fast.vt());
            INDArray exactProduct = exact.u()
                    .get(NDArrayIndex.all(), NDArrayIndex.interval(0, 8))
                    .mulRowVector(exact.s().get(NDArrayIndex.interval(0, 8)))
                    .mmul(exact.vt().get(NDArrayIndex.interval(0, 8), NDArrayIndex.all()));
            assertThat(relative(fastProduct, exactProduct)).isLessThan(1e-4);
            Svd again = linalg.randomizedSvd(a, 8, 4, 42);
            assertThat(again.u()).isEqualTo(fast.u());
            assertThat(again.vt()).isEqualTo(fast.vt());
        }
    }

    @Test
    void rank_deficient_and_zero_matrices_are_decomposed() {
        INDArray thin = random(20, 2, DataType.FLOAT).mmul(random(2, 12, DataType.FLOAT));
        Svd svd = linalg.svd(thin);
        assertThat(svd.s().getDouble(2)).isCloseTo(0, within(1e-5 * svd.s().getDouble(0)));
        Svd zero = linalg.svd(Nd4j.zeros(DataType.FLOAT, 5, 4));
        assertThat(zero.s().maxNumber().doubleValue()).isZero();
        assertOrthonormal(zero.u(), DataType.FLOAT);
        assertOrthonormal(linalg.randomizedSvd(thin, 4, 4, 1).u(), DataType.FLOAT);
    }

    @Test
    void what_cannot_be_decomposed_is_refused() {
        INDArray nan = random(4, 4, DataType.FLOAT);
        nan.putScalar(1, 2, Float.NaN);
        INDArray infinite = random(4, 4, DataType.FLOAT);
        infinite.putScalar(3, 0, Float.NEGATIVE_INFINITY);
        for (INDArray bad : new INDArray[] {nan, infinite}) {
            assertThatThrownBy(() -> linalg.svd(bad)).isInstanceOf(InvalidInputException.class);
            assertThatThrownBy(() -> linalg.qr(bad)).hasMessageContaining("not finite");
            assertThatThrownBy(() -> linalg.randomizedSvd(bad, 2, 1, 0)).hasMessageContaining("not finite");
        }
        INDArray fine = random(4, 6, DataType.FLOAT);
        assertThatThrownBy(() -> linalg.randomizedSvd(fine, 5, 1, 0)).hasMessageContaining("between 1 and 4");
        assertThatThrownBy(() -> linalg.svd(Nd4j.zeros(DataType.FLOAT, 2, 2, 2)))
                .hasMessageContaining("[2, 2, 2]");
    }

    private INDArray withSpectrum(int m, int n, double ratio) {
        int k = Math.min(m, n);
        INDArray s = Nd4j.create(DataType.DOUBLE, k);
        for (int i = 0; i < k; i++) {
            s.putScalar(i, Math.pow(ratio, i));
        }
        INDArray u = linalg.qr(random(m, k, DataType.DOUBLE)).q();
        INDArray v = linalg.qr(random(n, k, DataType.DOUBLE)).q();
        return u.mulRowVector(s).mmul(v.transpose()).castTo(DataType.FLOAT);
    }

    private static INDArray random(int m, int n, DataType type) {
        java.util.Random random = new java.util.Random(31L * m + n);
        double[] values = random.doubles((long) m * n, -1, 1).toArray();
        return Nd4j.createFromArray(values).reshape(m, n).castTo(type);
    }

    private static void assertOrthonormal(INDArray q, DataType type) {
        assertThat(Orthonormality.deviation(q)).isLessThan(type == DataType.FLOAT ? 5e-5 : 1e-12);
    }

    private static double relative(INDArray actual, INDArray expected) {
        INDArray difference = actual.castTo(DataType.DOUBLE).sub(expected.castTo(DataType.DOUBLE));
        return difference.norm2Number().doubleValue()
                / expected.castTo(DataType.DOUBLE).norm2Number().doubleValue();
    }
}
