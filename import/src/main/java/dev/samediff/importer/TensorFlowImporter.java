package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.OnnxFile;
import dev.samediff.importer.tensorflow.Translation;
import dev.samediff.importer.tensorflow.Translation.Translated;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Imports transformers from TensorFlow: a frozen GraphDef ({@code .pb}) or a SavedModel folder with its checkpoint.
 *
 * <p>The graph is translated into ONNX in memory and then imported as an ONNX model is; weights keep the names of their
 * variables. {@link OnnxWriter} writes merged weights into the translated model.
 */
public final class TensorFlowImporter {
    private static final int REASONS = 5;

    private TensorFlowImporter() {}

    /**
     * Imports a frozen GraphDef or a SavedModel folder.
     *
     * @return the graph and what is known about it
     * @throws InvalidInputException if it is missing, damaged, has variables without values, or holds operators that cannot
     *     be imported (all of them are named at once)
     */
    public static ImportedModel load(Path fileOrFolder) {
        return load(fileOrFolder, TensorFlowOptions.defaults());
    }

    /** As {@link #load(Path)}, with options. */
    public static ImportedModel load(Path fileOrFolder, TensorFlowOptions options) {
        return importer(fileOrFolder, supported(fileOrFolder, options), options).build();
    }

    /**
     * Looks at a graph without building one; operators that cannot be imported are reported, not refused, under
     * {@code tensorflow:<operator>}.
     *
     * @throws InvalidInputException if it is missing, damaged, or has variables without values
     */
    public static ImportReport inspect(Path fileOrFolder) {
        return inspect(fileOrFolder, TensorFlowOptions.defaults());
    }

    /** As {@link #inspect(Path)}, with options. */
    public static ImportReport inspect(Path fileOrFolder, TensorFlowOptions options) {
        Translated translated =
                Translation.translate(fileOrFolder, options.outputs(), options.signature(), options.inputs());
        Map<String, String> reasons = new HashMap<>();
        translated.refused().forEach((operator, nodes) -> reasons.put("tensorflow:" + operator, nodes.get(0)));
        return importer(fileOrFolder, translated, options).inspect(reasons);
    }

    /**
     * Writes the translation of a graph as an ONNX file.
     *
     * @param target where to write, replaced if it exists; complete or untouched
     * @throws InvalidInputException as {@link #load(Path)}
     * @throws UncheckedIOException if the target cannot be written
     */
    public static void toOnnx(Path fileOrFolder, Path target) {
        toOnnx(fileOrFolder, target, TensorFlowOptions.defaults());
    }

    /** As {@link #toOnnx(Path, Path)}, with options. */
    public static void toOnnx(Path fileOrFolder, Path target, TensorFlowOptions options) {
        OnnxWriter.writeMerged(load(fileOrFolder, options), Map.of(), target, Map.of());
    }

    private static OnnxImporter importer(Path path, Translated translated, TensorFlowOptions options) {
        ImportOptions graph = options.graph();
        OnnxImporter importer = new OnnxImporter(OnnxFile.of(path, translated.model(), graph.floats()), graph);
        importer.note(
                "translated from TensorFlow into ONNX while importing: nodes and operators are those of the translation");
        return importer;
    }

    private static Translated supported(Path path, TensorFlowOptions options) {
        Translated translated = Translation.translate(path, options.outputs(), options.signature(), options.inputs());
        if (!translated.refused().isEmpty()) {
            throw new InvalidInputException(path + " uses operators that cannot be imported: "
                    + translated.refused().entrySet().stream()
                            .map(TensorFlowImporter::text)
                            .collect(Collectors.joining("; "))
                    + "; export the model for inference without them, or choose outputs that do not need them");
        }
        return translated;
    }

    private static List<String> some(List<String> reasons) {
        return reasons.subList(0, Math.min(REASONS, reasons.size()));
    }

    private static String text(Map.Entry<String, List<String>> refused) {
        List<String> reasons = refused.getValue();
        String some = String.join(", ", some(reasons));
        return refused.getKey() + " (" + reasons.size() + "x: " + some + (reasons.size() > REASONS ? ", ...)" : ")");
    }
}
