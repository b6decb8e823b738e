package dev.samediff.importer;

import java.util.List;
import java.util.OptionalLong;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * An input or output of an imported graph.
 *
 * @param name its name in the ONNX file and, but for characters that SameDiff cannot bear, in the graph
 * @param variable its name in the graph
 * @param type element type
 * @param dims sizes; those that may vary are names such as {@code batch}, others are numbers
 * @param bound of an input that looks something up in a table: every element must be from 0 to below this height
 */
public record TensorSpec(String name, String variable, DataType type, List<String> dims, OptionalLong bound) {
    /** Copies the list. */
    public TensorSpec {
        dims = List.copyOf(dims);
    }

    /** A tensor that looks nothing up. */
    public TensorSpec(String name, String variable, DataType type, List<String> dims) {
        this(name, variable, type, dims, OptionalLong.empty());
    }

    /** Returns this tensor with a bound. */
    TensorSpec below(OptionalLong height) {
        return new TensorSpec(name, variable, type, dims, height);
    }

    /** Returns the sizes with -1 where they may vary. */
    public long[] shape() {
        return dims.stream()
                .mapToLong(dim -> dim.matches("\\d+") ? Long.parseLong(dim) : -1)
                .toArray();
    }
}
