package dev.samediff.adapters.linalg;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SvdChoiceTest {
    private final LapackDecompositions lapack = new LapackDecompositions();

    @Test
    void small_weights_are_exact_and_large_ones_randomised() {
        ChosenDecompositions chosen = SvdChoice.auto().over(lapack);
        INDArray small = matrix(60, 50);
        assertThatBits(chosen.svd(small, 4).u()).isEqualTo(lapack.svd(small, 4).u());
        INDArray large = matrix(SvdChoice.EXACT_UP_TO + 1, SvdChoice.EXACT_UP_TO + 40);
        assertThatBits(chosen.svd(large, 4).u())
                .isEqualTo(lapack.randomizedSvd(large, 4, SvdChoice.FEW, 1).u());
        assertThat(chosen.count().exact()).isEqualTo(1);
        assertThat(chosen.count().randomized()).isEqualTo(1);
    }

    @Test
    void a_large_rank_gets_more_iterations_unless_they_are_given() {
        INDArray a = matrix(120, 90);
        ChosenDecompositions fast = SvdChoice.fast().over(lapack);
        assertThatBits(fast.svd(a, SvdChoice.SMALL_RANK + 1).u())
                .isEqualTo(lapack.randomizedSvd(a, SvdChoice.SMALL_RANK + 1, SvdChoice.MANY, 1)
                        .u());
        assertThatBits(SvdChoice.fast().withIterations(2).over(lapack).svd(a, 8).u())
                .isEqualTo(lapack.randomizedSvd(a, 8, 2, 1).u());
    }

    @Test
    void exact_is_exact_and_a_rank_near_the_whole_too() {
        INDArray a = matrix(50, 40);
        assertThatBits(SvdChoice.exact().over(lapack).svd(a, 8).u())
                .isEqualTo(lapack.svd(a, 8).u());
        ChosenDecompositions fast = SvdChoice.fast().over(lapack);
        assertThatBits(fast.svd(a, 39).u()).isEqualTo(lapack.svd(a, 39).u());
        assertThat(fast.count().exact()).isEqualTo(1);
        assertThat(fast.count().excess()).isZero();
    }

    @Test
    void what_cannot_be_is_refused() {
        assertThatThrownBy(() -> SvdChoice.exact().withIterations(4))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("exact");
        assertThatThrownBy(() -> SvdChoice.fast().withIterations(-1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("-1 power iterations");
        assertThatThrownBy(() -> SvdChoice.Mode.named("quick"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`quick`")
                .hasMessageContaining("auto, exact, fast");
        assertThat(SvdChoice.Mode.named("Fast")).isEqualTo(SvdChoice.Mode.FAST);
    }

    /** The true rest is known where the spectrum is; the estimate may be too large by five times and too small by two. */
    @ParameterizedTest
    @CsvSource({"power,16,2", "power,16,4", "power,64,4", "power,64,8", "spikes,64,8", "spikes,64,16", "falling,16,2"})
    void the_excess_of_a_randomised_rest_is_estimated(String spectrum, int rank, int iterations) {
        int m = 256;
        IntToDoubleFunction sigma = switch (spectrum) {
            case "power" -> i -> Math.pow(i + 1, -0.35);
            case "spikes" -> i -> i < 20 ? 3 : 1 - i * 0.001;
            default -> i -> Math.exp(-0.02 * i);
        };
        INDArray s =
                Nd4j.createFromArray(IntStream.range(0, m).mapToDouble(sigma).toArray());
        INDArray u = lapack.qr(RandomizedSvd.gaussian(m, m, DataType.DOUBLE, 1)).q();
        INDArray v =
                lapack.qr(RandomizedSvd.gaussian(2 * m, m, DataType.DOUBLE, 2)).q();
        INDArray a = u.mulRowVector(s).mmul(v.transpose()).castTo(DataType.FLOAT);
        Decompositions.Svd found = lapack.randomizedSvd(a, rank, iterations, 3);
        double best = Math.sqrt(IntStream.range(rank, m)
                .mapToDouble(sigma)
                .map(each -> each * each)
                .sum());
        double truth = rest(a, found) / best - 1;
        assertThat(found.excess()).isBetween(truth / 2 - 1e-5, 5 * truth + 1e-3);
    }

    @Test
    void an_exact_decomposition_has_no_excess_and_one_without_iterations_none_that_is_known() {
        INDArray a = matrix(80, 70);
        assertThat(lapack.svd(a, 8).excess()).isZero();
        assertThat(lapack.svd(a).leading(3).excess()).isZero();
        assertThat(lapack.randomizedSvd(a, 8, 0, 1).excess()).isNaN();
    }

    private static double rest(INDArray a, Decompositions.Svd svd) {
        INDArray approximation = svd.u()
                .castTo(DataType.DOUBLE)
                .mulRowVector(svd.s().castTo(DataType.DOUBLE))
                .mmul(svd.vt().castTo(DataType.DOUBLE));
        return a.castTo(DataType.DOUBLE).sub(approximation).norm2Number().doubleValue();
    }

    private static INDArray matrix(int m, int n) {
        return RandomizedSvd.gaussian(m, n, DataType.FLOAT, 5);
    }
}
