package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import org.jspecify.annotations.Nullable;
import org.nd4j.graph.FlatArray;
import org.nd4j.graph.FlatGraph;
import org.nd4j.graph.UpdaterState;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Checks the arrays in a SameDiff file: ND4J takes their sizes and strides as they are, and native code then reads wherever these lead.
 *
 * <p>The shape of an array is its rank, sizes, strides, two numbers of ND4J, and its order, the letter c or f.
 */
final class FlatArrays {
    private static final int MOST_DIMENSIONS = 32;

    private FlatArrays() {}

    /**
     * Looks at every array that the reader will make.
     *
     * @throws InvalidInputException if one is not inside of its own numbers; the message completes the sentence "FILE ..."
     * @throws RuntimeException if the file leads out of itself
     */
    static void require(FlatGraph graph) {
        for (int i = 0; i < graph.variablesLength(); i++) {
            require(graph.variables(i).ndarray());
        }
        for (int i = 0; i < graph.nodesLength(); i++) {
            require(graph.nodes(i).scalar());
        }
        for (int i = 0; i < graph.updaterStateLength(); i++) {
            UpdaterState state = graph.updaterState(i);
            for (int j = 0; j < state.updaterStateValuesLength(); j++) {
                require(state.updaterStateValues(j));
            }
        }
    }

    private static void require(@Nullable FlatArray array) {
        if (array == null) {
            return;
        }
        int numbers = array.shapeLength();
        long rank = numbers == 0 ? -1 : array.shape(0);
        if (rank < 0 || rank > MOST_DIMENSIONS || numbers != 2 * rank + 4) {
            throw broken("a shape of " + numbers + " numbers for " + rank + " dimensions");
        }
        long order = array.shape(numbers - 1);
        if (order != 'c' && order != 'f') {
            throw broken("an order that is neither c nor f");
        }
        long elements = 1;
        long last = 0;
        for (int axis = 1; axis <= rank; axis++) {
            long size = array.shape(axis);
            long stride = array.shape((int) rank + axis);
            if (size < 0 || stride < 0 || size > Integer.MAX_VALUE || stride > Integer.MAX_VALUE) {
                throw broken("the size " + size + " with the stride " + stride);
            }
            elements = Math.multiplyExact(elements, size);
            last = Math.addExact(last, Math.max(0, size - 1) * stride);
        }
        if (elements > 0 && last >= elements) {
            throw broken("strides that lead beyond its " + elements + " numbers");
        }
        DataType type = DataType.fromInt(array.dtype());
        if (type != DataType.UTF8 && elements > array.bufferLength() / Math.max(1, type.width())) {
            throw broken("a shape of " + elements + " numbers over " + array.bufferLength() + " bytes");
        }
    }

    private static InvalidInputException broken(String what) {
        return new InvalidInputException("has an array with " + what);
    }
}
