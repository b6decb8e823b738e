package dev.samediff.adapters.linalg;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.DoubleAccumulator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Computes leading singular triplets as a {@link SvdChoice} says, and counts. Thread-safe. */
public final class ChosenDecompositions extends ForwardingDecompositions {
    /** One seed for all: what is random is the subspace's start, and equal weights shall give equal triplets. */
    private static final long SEED = 1;

    private final SvdChoice choice;
    private final AtomicInteger exact = new AtomicInteger();
    private final AtomicInteger randomized = new AtomicInteger();
    private final DoubleAccumulator excess = new DoubleAccumulator(Math::max, 0);

    ChosenDecompositions(SvdChoice choice, Decompositions computing) {
        super(computing);
        this.choice = choice;
    }

    /**
     * What was decomposed so far.
     *
     * @param exact matrices with exact triplets
     * @param randomized matrices with triplets of a randomised decomposition
     * @param excess the largest {@link Decompositions.Svd#excess()}
     */
    public record Count(int exact, int randomized, double excess) {}

    /** Returns the count. */
    public Count count() {
        return new Count(exact.get(), randomized.get(), excess.get());
    }

    @Override
    public Svd svd(INDArray a) {
        exact.incrementAndGet();
        return super.svd(a);
    }

    @Override
    public Svd svd(INDArray a, int rank) {
        MatrixCheck.requireMatrix(a);
        if (!choice.isExact(a.rows(), a.columns()) && !RandomizedSvd.isWhole(a, rank)) {
            return randomizedSvd(a, rank, choice.iterations(rank), SEED);
        }
        exact.incrementAndGet();
        return super.svd(a, rank);
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        Svd found = super.randomizedSvd(a, rank, iterations, seed);
        randomized.incrementAndGet();
        excess.accumulate(found.excess());
        return found;
    }
}
