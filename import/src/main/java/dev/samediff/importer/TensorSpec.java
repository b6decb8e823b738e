package dev.samediff.importer;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * An input or output of an imported graph.
 *
 * @param name its name in the ONNX file and, but for characters that SameDiff cannot bear, in the graph
 * @param variable its name in the graph
 * @param type element type
 * @param dims sizes; those that may vary are names such as {@code batch}, others are numbers
 */
public record TensorSpec(String name, String variable, DataType type, List<String> dims) {
    /** Copies the list. */
    public TensorSpec {
        dims = List.copyOf(dims);
    }

    /** Returns the sizes with -1 where they may vary. */
    public long[] shape() {
        return dims.stream()
                .mapToLong(dim -> dim.matches("\\d+") ? Long.parseLong(dim) : -1)
                .toArray();
    }
}
