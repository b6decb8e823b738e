package dev.samediff.adapters.linalg;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.io.DecompositionFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class StoredDecompositionsTest {
    private static final long PLENTY = 1 << 20;

    @TempDir
    Path temporary;

    private final LapackDecompositions lapack = new LapackDecompositions();
    private final CountingDecompositions counting = new CountingDecompositions(lapack);
    private Path folder = Path.of("");

    @BeforeEach
    void name() {
        folder = temporary.resolve("cache").resolve("svd");
    }

    @Test
    void another_run_finds_the_bits_of_the_first() throws IOException {
        INDArray a = matrix(40, 30, 1);
        for (INDArray layout : List.of(a.dup('c'), a.dup('f'), a.transpose())) {
            open().svd(layout, 6);
            open().randomizedSvd(layout, 4, 2, 9);
            int before = counting.calls();
            StoredDecompositions again = open();
            requireSame(again.svd(layout, 6), lapack.svd(layout, 6));
            requireSame(again.svd(layout, 2), lapack.svd(layout, 2));
            Decompositions.Svd randomized = again.randomizedSvd(layout, 4, 2, 9);
            requireSame(randomized, lapack.randomizedSvd(layout, 4, 2, 9));
            assertThat(randomized.excess())
                    .isEqualTo(lapack.randomizedSvd(layout, 4, 2, 9).excess());
            assertThat(again.found()).isEqualTo(3);
            assertThat(counting.calls()).isEqualTo(before);
        }
        assertThat(Files.getPosixFilePermissions(folder)).hasSize(3);
    }

    @Test
    void another_rank_seed_or_weight_is_computed() {
        INDArray a = matrix(40, 30, 1);
        StoredDecompositions kept = open();
        kept.svd(a, 4);
        kept.randomizedSvd(a, 4, 2, 9);
        requireSame(kept.svd(a, 5), lapack.svd(a, 5));
        requireSame(kept.randomizedSvd(a, 3, 2, 9), lapack.randomizedSvd(a, 3, 2, 9));
        requireSame(kept.randomizedSvd(a, 4, 3, 9), lapack.randomizedSvd(a, 4, 3, 9));
        requireSame(kept.randomizedSvd(a, 4, 2, 8), lapack.randomizedSvd(a, 4, 2, 8));
        INDArray other = a.dup();
        other.putScalar(3, 2, Math.nextUp(other.getFloat(3, 2)));
        requireSame(kept.svd(other, 4), lapack.svd(other, 4));
        requireSame(kept.svd(a.reshape('c', 30, 40), 4), lapack.svd(a.reshape('c', 30, 40), 4));
        assertThat(kept.found()).isZero();
    }

    @Test
    void a_file_that_was_cut_or_changed_is_computed_again_and_replaced() throws IOException {
        INDArray a = matrix(40, 30, 1);
        open().svd(a, 6);
        byte[] whole = Files.readAllBytes(onlyFile());
        for (int at : new int[] {0, 9, whole.length / 2, whole.length - 1}) {
            byte[] changed = whole.clone();
            changed[at] ^= 0x10;
            requireComputedAgain(a, changed);
        }
        for (int length : new int[] {0, 7, 100, whole.length - 1}) {
            requireComputedAgain(a, java.util.Arrays.copyOf(whole, length));
        }
    }

    private void requireComputedAgain(INDArray a, byte[] content) throws IOException {
        Files.write(onlyFile(), content);
        StoredDecompositions kept = open();
        requireSame(kept.svd(a, 6), lapack.svd(a, 6));
        assertThat(kept.found()).isZero();
        requireSame(kept.svd(a, 6), lapack.svd(a, 6));
        assertThat(kept.found()).as("replaced by a good one").isEqualTo(1);
    }

    @Test
    void a_file_of_another_weight_under_this_ones_name_is_not_taken() throws IOException {
        INDArray a = matrix(40, 30, 1);
        open().svd(a, 6);
        Path own = onlyFile();
        byte[] ofAnother = Files.readAllBytes(own);
        Files.delete(own);
        INDArray b = matrix(40, 30, 2);
        open().svd(b, 6);
        Files.write(onlyFile(), ofAnother);
        requireSame(open().svd(b, 6), lapack.svd(b, 6));
    }

    @Test
    void what_was_used_least_recently_goes_and_strangers_stay() throws IOException {
        List<INDArray> weights =
                IntStream.range(0, 4).mapToObj(i -> matrix(40, 30, i)).toList();
        open().svd(weights.get(0), 6);
        long one = Files.size(onlyFile());
        Path stranger = Files.write(folder.resolve("notes.safetensors"), new byte[5000]);
        StoredDecompositions small = open(folder, 3 * one + one / 2);
        small.svd(weights.get(1), 6);
        small.svd(weights.get(2), 6);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(100)));
            }
        }
        small.svd(weights.get(0), 6); // used again
        small.svd(weights.get(3), 6);
        assertThat(stranger).exists();
        int before = counting.calls();
        small.svd(weights.get(0), 6);
        small.svd(weights.get(3), 6);
        assertThat(counting.calls()).isEqualTo(before);
        small.svd(weights.get(1), 6);
        small.svd(weights.get(2), 6);
        assertThat(counting.calls()).as("one of the two old ones went").isGreaterThan(before);
    }

    @Test
    void what_is_larger_than_the_folder_may_be_or_too_small_to_pay_is_not_written() {
        INDArray a = matrix(40, 30, 1);
        open(folder, 10).svd(a, 6);
        new StoredDecompositions(lapack, new DecompositionFolder(folder, PLENTY), 31).svd(a, 6);
        assertThat(folder).doesNotExist();
    }

    @Test
    void a_folder_that_cannot_be_written_is_no_error() throws IOException {
        Path file = Files.createFile(temporary.resolve("file"));
        INDArray a = matrix(40, 30, 1);
        StoredDecompositions kept = open(file.resolve("below"), PLENTY);
        requireSame(kept.svd(a, 6), lapack.svd(a, 6));
        requireSame(kept.svd(a, 6), lapack.svd(a, 6));
        assertThat(kept.found()).isZero();
        StoredDecompositions onFile = open(file, PLENTY);
        requireSame(onFile.svd(a, 6), lapack.svd(a, 6));
    }

    @Test
    void threads_may_share_a_folder() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Decompositions.Svd>> all = IntStream.range(0, 24)
                    .mapToObj(i -> threads.submit(() -> open().svd(matrix(40, 30, i % 3), 6)))
                    .toList();
            for (int i = 0; i < all.size(); i++) {
                requireSame(all.get(i).get(), lapack.svd(matrix(40, 30, i % 3), 6));
            }
        } finally {
            threads.shutdown();
        }
    }

    private StoredDecompositions open() {
        return open(folder, PLENTY);
    }

    private StoredDecompositions open(Path place, long bytes) {
        return new StoredDecompositions(counting, new DecompositionFolder(place, bytes), 1);
    }

    private Path onlyFile() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(1);
            return all.get(0);
        }
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
