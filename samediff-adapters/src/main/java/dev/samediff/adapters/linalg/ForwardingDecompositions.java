package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Hands everything on; what a subclass has to say about it, it overrides. */
abstract class ForwardingDecompositions implements Decompositions {
    private final Decompositions next;

    ForwardingDecompositions(Decompositions next) {
        this.next = next;
    }

    @Override
    public Svd svd(INDArray a) {
        return next.svd(a);
    }

    @Override
    public Svd svd(INDArray a, int rank) {
        return next.svd(a, rank);
    }

    @Override
    public Svd randomizedSvd(INDArray a, int rank, int iterations, long seed) {
        return next.randomizedSvd(a, rank, iterations, seed);
    }

    @Override
    public Qr qr(INDArray a) {
        return next.qr(a);
    }

    @Override
    public Qr qr(INDArray a, int rank) {
        return next.qr(a, rank);
    }
}
