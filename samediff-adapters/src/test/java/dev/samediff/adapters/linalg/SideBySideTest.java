package dev.samediff.adapters.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.openblas.global.openblas_full;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SideBySideTest {
    private static final List<INDArray> MATRICES = IntStream.of(5, 40, 12, 33, 8, 21)
            .mapToObj(size -> Nd4j.rand(DataType.FLOAT, size + 3, size))
            .toList();

    private final Decompositions linalg = new LapackDecompositions();

    @Test
    void results_are_those_of_one_after_the_other_in_the_items_order() {
        List<Decompositions.Svd> together = SideBySide.map(MATRICES, INDArray::length, linalg::svd);
        assertThat(together).hasSameSizeAs(MATRICES);
        for (int i = 0; i < MATRICES.size(); i++) {
            INDArray expected = linalg.svd(MATRICES.get(i)).s();
            assertThat(together.get(i).s().sub(expected).amaxNumber().doubleValue())
                    .as("matrix " + i)
                    .isLessThan(1e-5);
        }
    }

    @Test
    void a_failure_is_thrown_and_openblas_gets_its_threads_back() {
        int threads = openblas_full.openblas_get_num_threads();
        List<INDArray> broken =
                List.of(MATRICES.get(0), Nd4j.valueArrayOf(new long[] {3, 3}, Float.NaN), MATRICES.get(1));
        assertThatExceptionOfType(InvalidInputException.class)
                .isThrownBy(() -> SideBySide.map(broken, INDArray::length, linalg::svd))
                .withMessageContaining("NaN");
        assertThat(openblas_full.openblas_get_num_threads()).isEqualTo(threads);
    }
}
