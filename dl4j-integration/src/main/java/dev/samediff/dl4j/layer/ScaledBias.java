package dev.samediff.dl4j.layer;

import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The bias b [out] of an adapted weight, which (IA)^3 multiplies with the product: b l.
 *
 * @param parameter DL4J's name
 * @param frozen the true bias, a view of the network's parameters
 * @param effective the bias the implementation reads, a view
 */
record ScaledBias(String parameter, INDArray frozen, INDArray effective) {
    private INDArray flat(DataType type) {
        return frozen.reshape(frozen.length()).castTo(type);
    }

    /** Writes b l to where the implementation reads it. */
    void compose(INDArray factors) {
        write(flat(factors.dataType()).mul(factors), effective);
    }

    /** Writes b l, computed in float64 and rounded once, into other parameters. */
    void merge(INDArray factors, Map<String, INDArray> parameters) {
        write(flat(DataType.DOUBLE).mul(factors.castTo(DataType.DOUBLE)), Named.get(parameters, parameter));
    }

    private static void write(INDArray values, INDArray target) {
        target.assign(values.reshape(target.shape()));
    }

    /** Returns its part of dL/dl [out], {@code b dL/db}. */
    INDArray gradient(Map<String, INDArray> ofParameters) {
        INDArray upstream = Named.get(ofParameters, parameter);
        return flat(upstream.dataType()).mul(upstream.reshape(upstream.length()));
    }
}
