package dev.samediff.adapters.io;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.graph.FlatArray;
import org.nd4j.graph.FlatGraph;
import org.nd4j.graph.UpdaterState;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Checks the arrays in a SameDiff file: ND4J takes their sizes and strides as they are, and native code then reads wherever these lead
 * ({@link StoredShape}).
 */
final class FlatArrays {
    private FlatArrays() {}

    /**
     * Looks at every array that the reader will make.
     *
     * @throws dev.samediff.adapters.InvalidInputException if one is not inside of its own numbers; the message completes the sentence "FILE ..."
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
        long[] shape = new long[array.shapeLength()];
        Arrays.setAll(shape, array::shape);
        long elements = StoredShape.elements(shape);
        DataType type = DataType.fromInt(array.dtype());
        if (type != DataType.UTF8 && elements > array.bufferLength() / Math.max(1, type.width())) {
            throw StoredShape.broken("a shape of " + elements + " numbers over " + array.bufferLength() + " bytes");
        }
    }
}
