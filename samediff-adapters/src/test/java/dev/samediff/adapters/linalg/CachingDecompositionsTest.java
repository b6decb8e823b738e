package dev.samediff.adapters.linalg;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class CachingDecompositionsTest {
    private final LapackDecompositions lapack = new LapackDecompositions();
    private final CountingDecompositions counting = new CountingDecompositions(lapack);
    private final CachingDecompositions cache = new CachingDecompositions(counting, 8);

    @ParameterizedTest
    @CsvSource({"40,13", "13,40", "30,30", "5,60"})
    void every_rank_is_bit_for_bit_that_of_lapack(int m, int n) {
        INDArray a = matrix(m, n, 1);
        for (INDArray layout : List.of(a.dup('c'), a.dup('f'), a.transpose())) {
            for (int rank : new int[] {5, 2, 1, 4}) {
                requireSame(cache.svd(layout, rank), lapack.svd(layout, rank));
                Decompositions.Qr qr = cache.qr(layout, rank);
                assertThatBits(qr.q()).isEqualTo(lapack.qr(layout, rank).q());
                assertThatBits(qr.r()).isEqualTo(lapack.qr(layout, rank).r());
            }
        }
    }

    @Test
    void a_matrix_is_decomposed_once_for_all_ranks_and_copies() {
        INDArray a = matrix(40, 30, 1);
        for (int rank = 1; rank <= 8; rank++) {
            cache.svd(a.dup(), rank);
        }
        assertThat(counting.calls()).isEqualTo(1);
        cache.qr(a.dup(), 5);
        cache.qr(a.dup(), 5);
        assertThat(counting.calls()).isEqualTo(2);
        INDArray other = a.dup();
        other.putScalar(3, 2, 0.25);
        cache.svd(other, 4);
        assertThat(counting.calls()).as("another matrix").isEqualTo(3);
        requireSame(cache.svd(other, 4), lapack.svd(other, 4));
    }

    @Test
    void ranks_beyond_the_largest_are_computed_each_time() {
        INDArray a = matrix(40, 30, 1);
        requireSame(cache.svd(a, 12), lapack.svd(a, 12));
        cache.svd(a, 12);
        assertThat(counting.calls()).isEqualTo(2);
    }

    @Test
    void a_randomised_decomposition_is_kept_for_its_rank_and_seed_only() {
        INDArray a = matrix(60, 50, 1);
        requireSame(cache.randomizedSvd(a, 4, 4, 7), lapack.randomizedSvd(a, 4, 4, 7));
        requireSame(cache.randomizedSvd(a, 2, 4, 7), lapack.randomizedSvd(a, 2, 4, 7));
        requireSame(cache.randomizedSvd(a, 4, 4, 8), lapack.randomizedSvd(a, 4, 4, 8));
        cache.randomizedSvd(a, 4, 4, 7);
        assertThat(counting.calls()).isEqualTo(3);
    }

    @Test
    void what_a_caller_does_to_a_result_does_not_reach_the_next_one() {
        INDArray a = matrix(20, 20, 1);
        for (int rank : new int[] {3, 8}) {
            cache.svd(a, rank).u().assign(0);
            requireSame(cache.svd(a, rank), lapack.svd(a, rank));
            cache.qr(a, rank).q().assign(0);
            assertThatBits(cache.qr(a, rank).q()).isEqualTo(lapack.qr(a, rank).q());
        }
    }

    @Test
    void threads_that_ask_for_one_matrix_compute_it_once() throws Exception {
        INDArray a = matrix(120, 90, 1);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Decompositions.Svd>> all = IntStream.range(0, 8)
                    .mapToObj(i -> threads.submit(() -> cache.svd(a, 1 + i % 5)))
                    .toList();
            for (int i = 0; i < all.size(); i++) {
                assertThat(all.get(i).get().s().length()).isEqualTo(1 + i % 5);
            }
        } finally {
            threads.shutdown();
        }
        assertThat(counting.calls()).isEqualTo(1);
    }

    private static void requireSame(Decompositions.Svd actual, Decompositions.Svd expected) {
        assertThatBits(actual.u()).isEqualTo(expected.u());
        assertThatBits(actual.s()).isEqualTo(expected.s());
        assertThatBits(actual.vt()).isEqualTo(expected.vt());
    }

    private static INDArray matrix(int m, int n, long seed) {
        return RandomizedSvd.gaussian(m, n, DataType.FLOAT, seed);
    }
}
