package dev.samediff.importer.onnx;

import dev.samediff.importer.tensor.Dim;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * An input or output of the graph as the file declares it.
 *
 * @param name its name
 * @param type exact element type ({@link OnnxTypes#exact}); UNKNOWN for an output whose type the file leaves open
 * @param dims sizes; those without a number are symbols
 */
public record OnnxInput(String name, DataType type, List<Dim> dims) {
    /** Copies the list. */
    public OnnxInput {
        dims = List.copyOf(dims);
    }
}
