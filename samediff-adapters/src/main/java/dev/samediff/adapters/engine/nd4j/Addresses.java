package dev.samediff.adapters.engine.nd4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Where ND4J's arrays lie. */
public final class Addresses {
    private Addresses() {}

    /** Returns the address of the first element. */
    public static long of(INDArray array) {
        return array.data().pointer().address()
                + array.offset() * array.dataType().width();
    }
}
