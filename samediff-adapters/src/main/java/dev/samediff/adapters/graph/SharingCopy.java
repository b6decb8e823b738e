package dev.samediff.adapters.graph;

import org.nd4j.autodiff.samediff.ArrayHolder;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.array.ThreadSafeArrayHolder;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Copies a graph but not its numbers: both graphs read the same arrays, so copies of a model of any size cost next to
 * nothing. Nothing in this library writes to an array that graphs may share: adapters that are put into one of them, switched,
 * merged or taken out give it arrays of its own ({@link GraphEditor#replaceArray}). Adapters' tensors are trained where they lie,
 * so a copy of a graph that has adapters gets its own of them, and of every other VARIABLE, which adapters may train whole: it
 * goes on computing what the graph computed when it was copied.
 *
 * <p>Whoever trains other variables of a graph where they lie, such as all weights, trains those of all copies.
 *
 * <p>SameDiff M2.1 copies through FlatBuffers, which end at 2 GB counted in a way that about 0.94 GB of weights is the limit.
 * Therefore large arrays are not in the graph while it is copied.
 */
public final class SharingCopy {
    /** Smaller arrays stay: ops read shapes and axes from them when a graph is built. */
    private static final long LARGE = 1024;

    private SharingCopy() {}

    /**
     * Returns a copy that reads the arrays of the original.
     *
     * @param graph the original; nobody else may use it meanwhile
     */
    public static SameDiff of(SameDiff graph) {
        ArrayHolder constants = graph.getConstantArrays();
        ArrayHolder variables = graph.getVariablesArrays();
        SameDiff copy;
        try {
            graph.setConstantArrays(light(constants));
            graph.setVariablesArrays(light(variables));
            copy = graph.dup();
        } finally {
            graph.setConstantArrays(constants);
            graph.setVariablesArrays(variables);
        }
        copy.setConstantArrays(same(constants, false));
        copy.setVariablesArrays(same(variables, AdapterTensors.any(graph).isPresent()));
        return copy;
    }

    private static ArrayHolder light(ArrayHolder arrays) {
        ArrayHolder light = new ThreadSafeArrayHolder(false);
        for (String name : arrays.arrayNames()) {
            INDArray array = arrays.getArray(name);
            light.setArray(name, array.length() < LARGE ? array : Nd4j.zeros(array.dataType(), 1));
        }
        return light;
    }

    /** SameDiff's own holders keep a second copy of each array for other devices (DeviceLocalNDArray in delayed mode). */
    private static ArrayHolder same(ArrayHolder arrays, boolean trained) {
        ArrayHolder same = new ThreadSafeArrayHolder(false);
        for (String name : arrays.arrayNames()) {
            INDArray array = arrays.getArray(name);
            same.setArray(name, trained || AdapterTensors.isOne(name) ? array.dup('c') : array);
        }
        return same;
    }
}
