package dev.samediff.adapters.engine.plan;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Where ND4J's arrays lie. */
final class Addresses {
    private Addresses() {}

    /** Returns the address of the first element. */
    static long of(INDArray array) {
        return array.data().pointer().address()
                + array.offset() * array.dataType().width();
    }
}
