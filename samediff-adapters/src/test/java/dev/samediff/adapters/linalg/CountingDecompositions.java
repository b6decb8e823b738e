package dev.samediff.adapters.linalg;

import java.util.concurrent.atomic.AtomicInteger;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Counts decompositions. */
final class CountingDecompositions implements Decompositions {
    private final Decompositions delegate;
    private final AtomicInteger calls = new AtomicInteger();

    CountingDecompositions(Decompositions delegate) {
        this.delegate = delegate;
    }

    int calls() {
        return calls.get();
    }

    @Override
    public Svd svd(INDArray a) {
        calls.incrementAndGet();
        return delegate.svd(a);
    }

    @Override
    public Svd svd(INDArray a, int rank) {
        calls.incrementAndGet();
        return delegate.svd(a, rank);
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        calls.incrementAndGet();
        return delegate.randomizedSvd(a, rank, iterations, seed);
    }

    @Override
    public Qr qr(INDArray a, int rank) {
        calls.incrementAndGet();
        return delegate.qr(a, rank);
    }

    @Override
    public Qr qr(INDArray a) {
        calls.incrementAndGet();
        return delegate.qr(a);
    }
}
