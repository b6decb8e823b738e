package dev.samediff.adapters.linalg;

import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Decomposes every matrix once, for many adapters on the same weights: a sweep over ranks, or several adapters.
 *
 * <p>Exact singular values are kept up to a largest rank and serve every smaller one; the triplets of a smaller rank are
 * the first ones of a larger, so results are bit for bit those without the cache. Q and R are kept for each rank, as they are computed, and a
 * randomised decomposition for its rank, iterations and seed. Matrices are recognised by their contents. What is kept takes
 * {@code (m + n + 1) * largestRank} numbers per matrix, those of Q and R {@code (m + n) * rank} for each rank. Whole decompositions are not kept. Thread-safe; of threads that ask
 * for one matrix at the same time one computes.
 */
public final class CachingDecompositions extends ForwardingDecompositions {
    private final int largestRank;
    private final ConcurrentHashMap<Key, Svd> svds = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Key, Qr> qrs = new ConcurrentHashMap<>();

    /**
     * Creates an empty cache.
     *
     * @param delegate computes
     * @param largestRank rank up to which exact decompositions are kept; larger requests are computed each time
     */
    public CachingDecompositions(Decompositions delegate, int largestRank) {
        super(delegate);
        if (largestRank < 1) {
            throw new IllegalArgumentException(
                    "a largest rank of " + largestRank + " keeps nothing; expected 1 or more");
        }
        this.largestRank = largestRank;
    }

    /** A matrix by its contents and layout (LAPACK rounds differently for another layout), and what else the result depends on. */
    private record Key(
            long rows, long columns, DataType type, char order, String hash, int rank, int iterations, long seed) {
        static Key of(INDArray a, int rank, int iterations, long seed) {
            String hash = MatrixHash.of(Contiguous.of(a));
            return new Key(a.rows(), a.columns(), a.dataType(), Contiguous.order(a), hash, rank, iterations, seed);
        }
    }

    @Override
    public Svd svd(INDArray a, int rank) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        if (rank > largestRank) {
            return super.svd(a, rank);
        }
        int kept = (int) Math.min(largestRank, Math.min(a.rows(), a.columns()));
        return svds.computeIfAbsent(Key.of(a, kept, -1, 0), key -> super.svd(a, kept))
                .leading(rank); // a copy: what a caller does to it must not reach the next one
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        MatrixCheck.requireMatrix(a);
        Key exactly = Key.of(a, rank, iterations, seed);
        return svds.computeIfAbsent(exactly, key -> super.randomizedSvd(a, rank, iterations, seed))
                .leading(rank);
    }

    @Override
    public Qr qr(INDArray a, int rank) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        if (rank > largestRank) {
            return super.qr(a, rank);
        }
        return qrs.computeIfAbsent(Key.of(a, rank, -1, 0), key -> super.qr(a, rank))
                .leading(rank);
    }
}
