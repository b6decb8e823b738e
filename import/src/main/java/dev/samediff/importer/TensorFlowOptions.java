package dev.samediff.importer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a TensorFlow graph is imported.
 *
 * @param outputs outputs by the keys of the signature, or by names of nodes or tensors; empty: those of the signature, or
 *     all nodes that no other node reads
 * @param signature which signature of a SavedModel; null: serving_default, or the only one
 * @param inputs tensors that callers give instead of what computes them, such as what a data pipeline hands out: names of
 *     tensors, or {@code name=tensor}
 * @param graph how the translated graph is imported
 */
public record TensorFlowOptions(
        List<String> outputs, @Nullable String signature, List<String> inputs, ImportOptions graph) {
    /** Copies the lists. */
    public TensorFlowOptions {
        outputs = List.copyOf(outputs);
        inputs = List.copyOf(inputs);
    }

    /** The signature's or all outputs, in the file's types. */
    public static TensorFlowOptions defaults() {
        return new TensorFlowOptions(List.of(), null, List.of(), ImportOptions.defaults());
    }

    /** The same with chosen outputs. */
    public TensorFlowOptions withOutputs(String... names) {
        return new TensorFlowOptions(List.of(names), signature, inputs, graph);
    }

    /** The same with a chosen signature. */
    public TensorFlowOptions withSignature(String name) {
        return new TensorFlowOptions(outputs, name, inputs, graph);
    }

    /** The same with other options of the translated graph. */
    public TensorFlowOptions withGraph(ImportOptions options) {
        return new TensorFlowOptions(outputs, signature, inputs, options);
    }

    /** The same with chosen inputs: tensors, or {@code name=tensor}. */
    public TensorFlowOptions withInputs(String... tensors) {
        return new TensorFlowOptions(outputs, signature, List.of(tensors), graph);
    }
}
