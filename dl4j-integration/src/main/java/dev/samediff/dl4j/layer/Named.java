package dev.samediff.dl4j.layer;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arrays by name that have to be there. */
final class Named {
    private Named() {}

    static INDArray get(Map<String, INDArray> arrays, String name) {
        INDArray array = arrays.get(name);
        if (array == null) {
            throw new IllegalStateException("there is no " + name + " in " + arrays.keySet());
        }
        return array;
    }
}
