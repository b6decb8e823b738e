package dev.samediff.adapters.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The first columns or rows of a matrix, copied row-major. */
final class Leading {
    private Leading() {}

    static INDArray columns(INDArray a, int count) {
        return a.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count)).dup('c');
    }

    static INDArray rows(INDArray a, int count) {
        return a.get(NDArrayIndex.interval(0, count), NDArrayIndex.all()).dup('c');
    }
}
