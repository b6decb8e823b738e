package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;

/**
 * Imports a transformer from whatever it is stored as: {@link OnnxImporter}, {@link HuggingFaceImporter} or {@link TensorFlowImporter}, as
 * {@link ModelFormat} tells.
 */
public final class ModelImporter {
    private ModelImporter() {}

    /**
     * Imports an ONNX model, a Hugging Face folder, a frozen TensorFlow graph or a SavedModel folder.
     *
     * @return the graph and what is known about it
     * @throws InvalidInputException if it is missing or damaged, or holds operators that cannot be imported (all of them are
     *     named at once)
     */
    public static ImportedModel load(Path path) {
        return load(path, TensorFlowOptions.defaults());
    }

    /**
     * As {@link #load(Path)}, with options.
     *
     * @throws InvalidInputException also if outputs or a signature are chosen for a model that is not TensorFlow's
     */
    public static ImportedModel load(Path path, TensorFlowOptions options) {
        return switch (format(path, options)) {
            case ONNX -> OnnxImporter.load(path, options.graph());
            case TENSORFLOW -> TensorFlowImporter.load(path, options);
            case HUGGING_FACE -> HuggingFaceImporter.load(path, options.graph());
        };
    }

    /**
     * Looks at a model without building a graph; operators that cannot be imported are reported, not refused.
     *
     * @throws InvalidInputException if it is missing or damaged
     */
    public static ImportReport inspect(Path path) {
        return inspect(path, TensorFlowOptions.defaults());
    }

    /** As {@link #inspect(Path)}, with options. */
    public static ImportReport inspect(Path path, TensorFlowOptions options) {
        return switch (format(path, options)) {
            case ONNX -> OnnxImporter.inspect(path);
            case TENSORFLOW -> TensorFlowImporter.inspect(path, options);
            case HUGGING_FACE -> HuggingFaceImporter.inspect(path);
        };
    }

    private static ModelFormat format(Path path, TensorFlowOptions options) {
        ModelFormat format = ModelFormat.of(path);
        if (format != ModelFormat.TENSORFLOW && (!options.outputs().isEmpty() || options.signature() != null)) {
            String kind = format == ModelFormat.ONNX ? "an ONNX model" : "a Hugging Face folder";
            throw new InvalidInputException(
                    path + " is " + kind
                            + ", which has one set of outputs; outputs and signatures can be chosen for TensorFlow graphs only");
        }
        return format;
    }
}
