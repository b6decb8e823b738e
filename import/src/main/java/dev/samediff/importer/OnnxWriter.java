package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LowRankUpdate;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.EmbeddingSites;
import dev.samediff.importer.onnx.AdapterNodes;
import dev.samediff.importer.onnx.DataOfModels;
import dev.samediff.importer.onnx.ModelOutput;
import dev.samediff.importer.onnx.OnnxWeightEditor;
import dev.samediff.importer.onnx.TensorData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
     * Checks that a file may be replaced by a model, or by anything else.
     *
     * @param target a file, which need not be there
     * @throws InvalidInputException if a model beside it keeps its numbers in it
     * @throws IOException if its folder cannot be listed
     */
    public static void requireReplaceable(Path target) throws IOException {
        DataOfModels.requireNone(target);
    }

    /**
     * Writes a copy of an ONNX model with other weights.
     *
     * @param model the import of the file
     * @param weights new values by the name of the graph's weight variable, in its shape: what
     *     {@code AdaptedModel.mergedWeights()} gives; they are rounded to the type that the file stores
     * @param target where to write, replaced if it exists; a model with data in other files gets one of its own,
     *     {@code target.data}
     * @throws InvalidInputException if a name, shape or type does not fit the file, the file has no place for other numbers
     *     ({@link #refusals}), or layers were built onto the graph after the import
     * @throws UncheckedIOException if the target cannot be written; it is then as it was
     */
    public static void writeMerged(ImportedModel model, Map<String, INDArray> weights, Path target) {
        writeMerged(model, weights, target, Map.of(PROVENANCE, "merged " + weights.size() + " weights"));
    }

    /** As {@link #writeMerged(ImportedModel, Map, Path)}, with entries for the file's metadata. */
    public static void writeMerged(
            ImportedModel model, Map<String, INDArray> weights, Path target, Map<String, String> metadata) {
        model.requireUnchanged();
        model.requireNothingAdded();
        model.requireSameVocabulary();
        OnnxWeightEditor editor = model.editor();
        replace(model, editor, weights);
        metadata.forEach(editor::metadata);
        write(editor, model, target);
    }

    /** Replaces the numbers of weights that the file has, and appends heads that it lacks. */
    private static void replace(ImportedModel model, OnnxWeightEditor editor, Map<String, INDArray> given) {
        Map<String, INDArray> weights = new LinkedHashMap<>(given);
        weights.keySet().removeIf(name -> name.endsWith(EmbeddingSite.copyOf(""))); // what reads the copy of a table
        weights.keySet().removeIf(name -> model.heads().stream().anyMatch(head -> head.owns(name)));
        Map<String, String> modules = new LinkedHashMap<>(model.modulePaths());
        model.embeddings()
                .forEach(table -> modules.remove(table.weight())); // a tied head is not adapted, its table may be
        weights.forEach((weight, values) -> requireFits(weight, values, editor.tensor(tensor(weight, model))));
        weights.forEach((weight, values) -> {
            if (modules.containsKey(weight)) {
                editor.replaceInProducts(tensor(weight, model), modules.get(weight) + ".weight", values);
            }
        });
        Set<String> tied = EmbeddingSites.scan(model.graph(), model.modulePaths()).stream()
                .filter(table -> !table.products().isEmpty())
                .map(EmbeddingSite::weight)
                .collect(Collectors.toSet());
        weights.forEach((weight, values) -> {
            String copy = EmbeddingSite.copyOf(weight);
            if (modules.containsKey(weight)) {
                return;
            }
            if (tied.contains(weight)) { // the graph's head reads the very table
                editor.replaceEverywhere(tensor(weight, model), values);
                return;
            }
            if (given.containsKey(copy)) {
                editor.replaceInProducts(tensor(weight, model), weight, given.get(copy));
            }
            editor.replaceElsewhere(tensor(weight, model), values);
        });
        model.heads().forEach(head -> head.write(editor, model.graph(), given));
    }

    /**
     * Writes a copy of an ONNX model with the active adapters beside the weights, as nodes of their own: three per
     * matrix product. What a runtime loads is larger than a merged model by the adapters only, and they can be told from
     * the weights; methods that start from the weight's own factors (PiSSA, SORSA, OLoRA) leave the residual there. Tensors that
     * are trained whole replace those of the file.
     *
     * @param model the import of the file
     * @param updates what {@code AdaptedModel.updates()} gives
     * @param target as in {@link #writeMerged(ImportedModel, Map, Path)}
     * @throws InvalidInputException if an adapted weight is used by an operator other than MatMul, Gemm and Conv
     * @throws UncheckedIOException if the target cannot be written; it is then as it was
     */
    public static void writeAdapted(ImportedModel model, List<LowRankUpdate> updates, Path target) {
        model.requireUnchanged();
        model.requireNothingAdded();
        model.requireSameVocabulary();
        OnnxWeightEditor editor = model.editor();
        List<LowRankUpdate> layers =
                updates.stream().filter(update -> !update.isReplacement()).toList();
        Map<String, INDArray> replaced = new LinkedHashMap<>();
        updates.stream()
                .filter(LowRankUpdate::isReplacement)
                .forEach(update -> replaced.put(update.weight(), update.base().orElseThrow()));
        replace(model, editor, replaced);
        for (LowRankUpdate update : layers) {
            String tensor = tensor(update.weight(), model);
            boolean table = update.kind() == SiteKind.EMBEDDING;
            String own = tensor;
            if (update.base().isPresent()) {
                INDArray base = update.base().get();
                requireFits(update.weight(), base, editor.tensor(tensor));
                if (table) {
                    editor.replaceElsewhere(tensor, base);
                } else {
                    own = editor.replaceInProducts(tensor, update.module() + ".weight", base);
                }
            }
            AdapterNodes nodes = new AdapterNodes(editor, own, update.module(), update.down(), update.up());
            if (table) {
                nodes.addToLookups();
            } else {
                nodes.addToProducts();
            }
        }
        editor.metadata(PROVENANCE, "adapters beside " + updates.size() + " weights");
        write(editor, model, target);
    }

    /**
     * Returns the weights for which {@link #writeMerged} could not write other values into the file, with the reason: known
     * before anything is trained.
     *
     * @param model the import of the file
     * @param weights names of weight variables
     */
    public static Map<String, String> refusals(ImportedModel model, Collection<String> weights) {
        OnnxWeightEditor editor = model.editor();
        Map<String, String> modules = new LinkedHashMap<>(model.modulePaths());
        model.embeddings().forEach(table -> modules.remove(table.weight()));
        Map<String, String> refusals = new LinkedHashMap<>();
        for (String weight : weights) {
            try {
                Optional<AddedHead> own =
                        model.heads().stream().filter(head -> head.owns(weight)).findFirst();
                if (own.isPresent()) {
                    own.get().write(model.editor(), model.graph(), Map.of());
                    continue;
                }
                String tensor = tensor(weight, model);
                editor.tensor(tensor);
                if (modules.containsKey(weight)) {
                    editor.requireReplaceable(tensor, modules.get(weight) + ".weight");
                }
            } catch (InvalidInputException e) {
                refusals.put(weight, String.valueOf(e.getMessage()));
            }
        }
        return refusals;
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
        if (!shape.equals(tensor.getDimsList()) && !isMatrixOf(shape, tensor.getDimsList())) {
            throw new InvalidInputException("Weight " + weight + " has shape " + shape + " but its tensor "
                    + tensor.getName() + " in the file has " + tensor.getDimsList()
                    + "; give the weights of the model that was imported from this file");
        }
        Onnx.TensorProto.DataType type = Onnx.TensorProto.DataType.forNumber(tensor.getDataType());
        new TensorData.Values(values, type).requireHeld(weight);
    }

    /**
     * Whether a shape is that of the matrix which a tensor of more axes is in the graph, such as a convolution's weight: the
     * first axes in one, and the others in one.
     */
    private static boolean isMatrixOf(List<Long> shape, List<Long> dims) {
        long rows = 1;
        for (int i = 0; shape.size() == 2 && i < dims.size() - 1; i++) {
            rows *= dims.get(i);
            long columns = dims.stream().skip(i + 1L).reduce(1L, (a, b) -> a * b);
            if (dims.size() > 2 && shape.get(0) == rows && shape.get(1) == columns) {
                return true;
            }
        }
        return false;
    }

    private static String firstOf(Set<String> names) {
        String some = names.stream().sorted().limit(LISTED).collect(Collectors.joining(", "));
        return names.size() > LISTED ? some + ", ... (" + names.size() + ")" : some;
    }

    private static void write(OnnxWeightEditor editor, ImportedModel model, Path target) {
        try {
            requireReplaceable(target);
            new ModelOutput(editor.build(), model.files(), editor.values()).write(target);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target + ": " + e.getMessage(), e);
        }
    }
}
