package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.importer.onnx.OnnxWeightEditor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes adapted weights back into the ONNX file they were imported from, so that any ONNX runtime serves the result.
 *
 * <p>Only the numbers of the given weights change; graph, names, opsets and metadata stay. A tensor that a linear layer
 * shares with something else (an embedding tied to the head) keeps its numbers, and the linear layer gets a tensor of
 * its own; when the embedding is the one that was adapted, the linear layer keeps the old numbers in a copy. The target is complete or untouched: it is written beside itself, synchronised to the disk and renamed.
 */
public final class OnnxWriter {
    /** The metadata entry that says what wrote the file, unless the caller gives one. */
    static final String PROVENANCE = "samediff-adapters";

    private static final int LISTED = 5;

    private OnnxWriter() {}

    /**
     * Writes a copy of an ONNX model with other weights.
     *
     * @param source the file the model was imported from
     * @param weights new values by the name of the graph's weight variable, in its shape: what
     *     {@code AdaptedModel.mergedWeights()} gives
     * @param model the import of that file
     * @param target where to write; replaced if it exists
     * @throws InvalidInputException if a name, shape or type does not fit the file
     * @throws UncheckedIOException if the target cannot be written; it is then as it was
     */
    public static void writeMerged(Path source, Map<String, INDArray> weights, ImportedModel model, Path target) {
        writeMerged(source, weights, model, target, Map.of(PROVENANCE, "merged " + weights.size() + " weights"));
    }

    /** As {@link #writeMerged(Path, Map, ImportedModel, Path)}, with entries for the file's metadata. */
    public static void writeMerged(
            Path source,
            Map<String, INDArray> weights,
            ImportedModel model,
            Path target,
            Map<String, String> metadata) {
        OnnxWeightEditor editor = new OnnxWeightEditor(read(source));
        requireSameFolderIfExternal(editor.external(), source, target);
        Map<String, String> modules = new LinkedHashMap<>(model.modulePaths());
        model.embeddings()
                .forEach(table -> modules.remove(table.weight())); // a tied head is not adapted, its table may be
        weights.forEach((weight, values) -> requireFits(weight, values, editor.tensor(tensor(weight, model))));
        weights.forEach((weight, values) -> {
            if (modules.containsKey(weight)) {
                editor.replaceInProducts(tensor(weight, model), modules.get(weight) + ".weight", values);
            }
        });
        weights.forEach((weight, values) -> {
            if (!modules.containsKey(weight)) {
                editor.replaceElsewhere(tensor(weight, model), values);
            }
        });
        metadata.forEach(editor::metadata);
        write(editor.build(), target);
    }

    private static String tensor(String weight, ImportedModel model) {
        String tensor = model.initializers().get(weight);
        if (tensor == null) {
            throw new InvalidInputException("The imported graph has no weight " + weight + "; it has "
                    + firstOf(model.modulePaths().keySet()) + ": give the names of AdaptedModel.mergedWeights()");
        }
        return OnnxWeightEditor.original(tensor);
    }

    private static void requireFits(String weight, INDArray values, Onnx.TensorProto tensor) {
        if (!values.dataType().isFPType()) {
            throw new InvalidInputException("Weight " + weight + " has values of type " + values.dataType()
                    + "; a weight needs FLOAT or DOUBLE values");
        }
        List<Long> shape = Arrays.stream(values.shape()).boxed().toList();
        if (!shape.equals(tensor.getDimsList())) {
            throw new InvalidInputException("Weight " + weight + " has shape " + shape + " but its tensor "
                    + tensor.getName() + " in the file has " + tensor.getDimsList()
                    + "; give the weights of the model that was imported from this file");
        }
        if (!Double.isFinite(values.sumNumber().doubleValue())) {
            throw new InvalidInputException("Weight " + weight
                    + " has entries that are no finite numbers; the training diverged before the merge");
        }
    }

    private static void requireSameFolderIfExternal(Set<String> external, Path source, Path target) {
        Path from = source.toAbsolutePath().normalize().getParent();
        Path to = target.toAbsolutePath().normalize().getParent();
        if (!external.isEmpty() && from != null && !from.equals(to)) {
            throw new InvalidInputException(source + " keeps " + external.size()
                    + " tensors in other files beside it, which " + target
                    + " would look for in its own folder; write the target into " + from);
        }
    }

    private static String firstOf(Set<String> names) {
        String some = names.stream().sorted().limit(LISTED).collect(Collectors.joining(", "));
        return names.size() > LISTED ? some + ", ... (" + names.size() + ")" : some;
    }

    private static Onnx.ModelProto read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Onnx.ModelProto.parseFrom(in);
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read as an ONNX model: " + e.getMessage(), e);
        }
    }

    private static void write(Onnx.ModelProto model, Path target) {
        try {
            DurableFiles.write(target, model::writeTo);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target + ": " + e.getMessage(), e);
        }
    }
}
