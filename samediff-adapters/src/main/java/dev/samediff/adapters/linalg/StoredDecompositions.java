package dev.samediff.adapters.linalg;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keeps leading singular triplets of large weights for the next run, such as in a {@link
 * dev.samediff.adapters.io.DecompositionFolder}. A weight is recognised by its bytes, so one store serves all models. Exact triplets serve
 * every smaller rank; randomised ones their own rank, number of iterations and seed. What is found has the bits of what was computed. QR
 * decompositions are not kept: the columns that are needed are computed faster than read. Thread-safe.
 */
public final class StoredDecompositions extends ForwardingDecompositions {
    /** The shorter side from which reading pays. */
    public static final int KEPT_FROM = 512;

    private final TripletStore store;
    private final int keptFrom;
    private final AtomicInteger found = new AtomicInteger();

    /**
     * Keeps triplets of matrices with a shorter side of {@value #KEPT_FROM} or more.
     *
     * @param computing computes what is not there
     * @param store where triplets are kept
     */
    public StoredDecompositions(Decompositions computing, TripletStore store) {
        this(computing, store, KEPT_FROM);
    }

    StoredDecompositions(Decompositions computing, TripletStore store, int keptFrom) {
        super(computing);
        this.store = store;
        this.keptFrom = keptFrom;
    }

    /** Returns how many decompositions were found. */
    public int found() {
        return found.get();
    }

    @Override
    public Svd svd(INDArray a, int rank) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        return kept(a, rank, "exact", true, () -> super.svd(a, rank));
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        MatrixCheck.requireMatrix(a);
        MatrixCheck.requireRank(a, rank);
        String how = "randomized " + iterations + " " + seed;
        return kept(a, rank, how, false, () -> super.randomizedSvd(a, rank, iterations, seed));
    }

    private Svd kept(INDArray a, int rank, String how, boolean anyLargerRank, Supplier<Svd> compute) {
        if (Math.min(a.rows(), a.columns()) < keptFrom) {
            return compute.get();
        }
        INDArray contiguous = Contiguous.of(a);
        String what = how + " " + a.rows() + " " + a.columns() + " " + a.dataType() + " " + Contiguous.order(a) + " "
                + MatrixHash.of(contiguous);
        Optional<Svd> known = store.find(what, rank, anyLargerRank).filter(svd -> fits(svd, a, rank));
        if (known.isPresent()) {
            found.incrementAndGet();
            return known.get().s().length() == rank ? known.get() : known.get().leading(rank);
        }
        Svd computed = compute.get();
        store.keep(what, rank, computed);
        return computed;
    }

    private static boolean fits(Svd svd, INDArray a, int rank) {
        long count = svd.s().length();
        return count >= rank
                && svd.s().rank() == 1
                && isMatrix(svd.u(), a.rows(), count, a.dataType())
                && isMatrix(svd.vt(), count, a.columns(), a.dataType())
                && svd.s().dataType() == a.dataType();
    }

    private static boolean isMatrix(INDArray array, long rows, long columns, DataType type) {
        return array.rank() == 2 && array.rows() == rows && array.columns() == columns && array.dataType() == type;
    }
}
