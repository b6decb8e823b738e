package dev.samediff.adapters.engine.reference;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Computes a fixed set of variables of one graph. */
interface Runner extends AutoCloseable {
    /**
     * Returns the variables by name; the arrays belong to the caller.
     *
     * @param placeholders values by name; those that are not needed may be absent
     */
    Map<String, INDArray> run(Map<String, INDArray> placeholders);

    @Override
    void close();
}
