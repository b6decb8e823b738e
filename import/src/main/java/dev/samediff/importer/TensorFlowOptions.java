package dev.samediff.importer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a TensorFlow graph is imported.
 *
 * @param outputs outputs by the keys of the signature, or by names of nodes or tensors; empty: those of the signature, or
 *     all nodes that no other node reads
 * @param signature which signature of a SavedModel; null: serving_default, or the only one
 * @param graph how the translated graph is imported
 */
public record TensorFlowOptions(
        List<String> outputs, @Nullable String signature, ImportOptions graph) {
    /** Copies the list. */
    public TensorFlowOptions {
        outputs = List.copyOf(outputs);
    }

    /** The signature's or all outputs, in the file's types. */
    public static TensorFlowOptions defaults() {
        return new TensorFlowOptions(List.of(), null, ImportOptions.defaults());
    }

    /** The same with chosen outputs. */
    public TensorFlowOptions withOutputs(String... names) {
        return new TensorFlowOptions(List.of(names), signature, graph);
    }

    /** The same with a chosen signature. */
    public TensorFlowOptions withSignature(String name) {
        return new TensorFlowOptions(outputs, name, graph);
    }

    /** The same with other options of the translated graph. */
    public TensorFlowOptions withGraph(ImportOptions options) {
        return new TensorFlowOptions(outputs, signature, options);
    }
}
