package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * An ONNX file that was read and checked.
 *
 * @param path the file
 * @param model its message without the numbers of large tensors, local functions and decided branches put in their place:
 *     what weights are written back into
 * @param operators how often each operator occurs
 * @param real the model without quantised numbers
 * @param computed the weights that the file computes from what it stores, by the names of their tensors in the graph
 * @param openCuts values of whole numbers by which weights are cut, joined or put into another shape, and that were not known when
 *     the file was read
 * @param graph the graph
 */
public record OnnxFile(
        Path path,
        ModelProto model,
        Map<String, Integer> operators,
        QuantisedModel real,
        Map<String, ComputedWeight> computed,
        Set<String> openCuts,
        OnnxGraph graph) {
    /** Copies the names. */
    public OnnxFile {
        openCuts = Set.copyOf(openCuts);
    }

    /** The oldest operator set that can be imported. */
    public static final int OLDEST_OPSET = 9;

    /** The newest operator set that can be imported. */
    public static final int NEWEST_OPSET = 23;

    /**
     * Reads a file.
     *
     * @param floats type of all floating-point numbers in the graph, null: FLOAT, and DOUBLE where the file has it
     * @throws InvalidInputException if it is missing, damaged, not ONNX, or of an operator set that is not known
     */
    public static OnnxFile read(Path path, @Nullable DataType floats) {
        return of(path, LeanModel.read(path), floats);
    }

    /** As {@link #read(Path, DataType)}, with the file's own types. */
    public static OnnxFile read(Path path) {
        return read(path, null);
    }

    /**
     * Checks a model that is in memory.
     *
     * @param path the file it comes from; data outside of the message is read from it or from beside it
     */
    public static OnnxFile of(Path path, ModelProto model, @Nullable DataType floats) {
        return of(path, model, new ExternalData(path), floats, Map.of());
    }

    private static OnnxFile of(
            Path path, ModelProto model, ExternalData files, @Nullable DataType floats, Map<String, HostTensor> known) {
        if (!model.hasGraph()
                || model.getGraph().getNodeCount() == 0
                || model.getGraph().getOutputCount() == 0) {
            throw new InvalidInputException(path
                    + " is not an ONNX model: it has no nodes or no outputs; give a file written by torch.onnx.export");
        }
        try {
            int opset = opset(model);
            ModelProto plain = PlainSequences.replaced(LocalFunctions.inlined(model));
            Map<String, Integer> operators = new TreeMap<>();
            for (NodeProto node : plain.getGraph().getNodeList()) {
                operators.merge(new OnnxNode(node).operator(), 1, Integer::sum);
            }
            QuantisedModel real = QuantisedModel.of(plain, files, opset);
            FoldedWeights.Folded folded = FoldedWeights.of(real.model().getGraph(), real.files(), opset, known);
            ModelProto whole = real.model().toBuilder().setGraph(folded.graph()).build();
            ModelProto graph = untied(floats == null ? whole : Precision.of(whole, floats));
            OnnxGraph checked = new OnnxGraph(graph.getGraph(), opset, real.files(), floats);
            return new OnnxFile(path, plain, operators, real, computed(plain, real, folded), folded.open(), checked);
        } catch (InvalidInputException e) {
            throw new InvalidInputException(path + ": " + e.getMessage(), e);
        }
    }

    /** Weights whose values the file as it was written has, so that something else can be read in their place. */
    private static Map<String, ComputedWeight> computed(
            ModelProto plain, QuantisedModel real, FoldedWeights.Folded folded) {
        Set<String> values = new HashSet<>();
        plain.getGraph().getInitializerList().forEach(tensor -> values.add(tensor.getName()));
        plain.getGraph().getNodeList().forEach(node -> values.addAll(node.getOutputList()));
        Map<String, ComputedWeight> computed = new HashMap<>(real.weights());
        computed.putAll(folded.weights());
        computed.values().removeIf(weight -> !values.contains(weight.value()));
        return computed;
    }

    /** Returns the file with If nodes replaced by the branch taken; conditions by the name of the If's first output. */
    public OnnxFile withBranches(Map<String, Boolean> conditions, @Nullable DataType floats) {
        return conditions.isEmpty() ? this : changed(Branches.taken(model, conditions), floats);
    }

    /** Returns the file with loops replaced by their turns, numbers given by the name of a Loop's first output. */
    public OnnxFile withTurns(Map<String, Long> turns, @Nullable DataType floats) {
        return turns.isEmpty() ? this : changed(Turns.taken(model, turns, opset(model)), floats);
    }

    /**
     * Returns the file with another number of tokens.
     *
     * @throws InvalidInputException if its vocabulary cannot be resized
     */
    public OnnxFile withVocabulary(VocabularyEdit edit, int tokens, @Nullable DataType floats) {
        return changed(edit.applied(this, tokens), floats);
    }

    private OnnxFile changed(ModelProto other, @Nullable DataType floats) {
        return of(path, other, real.files(), floats, Map.of());
    }

    /** Returns the whole numbers that tell how lists of tensors are made and taken apart, and that the file computes. */
    public Set<String> openLists() {
        return PlainSequences.open(model);
    }

    /** Returns the file with numbers stored where lists of tensors are made and taken apart. */
    public OnnxFile withLists(Map<String, HostTensor> known, @Nullable DataType floats) {
        return changed(PlainSequences.numbered(model, known), floats);
    }

    /** Returns the file with the numbers of open cuts, which follow from sizes that the graph says; the model stays what it is. */
    public OnnxFile withCuts(Map<String, HostTensor> known, @Nullable DataType floats) {
        return of(path, model, real.files(), floats, known);
    }

    /**
     * Writes the model without quantised numbers.
     *
     * @throws IOException if it cannot be written
     */
    public void writeReal(Path target) throws IOException {
        new ModelOutput(real.model(), real.files(), Map.of()).write(target);
    }

    /** Returns who wrote the file, with version. */
    public String producer() {
        return (model.getProducerName() + " " + model.getProducerVersion()).trim();
    }

    /** Returns the number of nodes, dead ones included. */
    public int nodeCount() {
        return model.getGraph().getNodeCount();
    }

    private static ModelProto untied(ModelProto model) {
        OnnxWeightEditor editor = new OnnxWeightEditor(model);
        editor.untie();
        return editor.build();
    }

    private static int opset(ModelProto model) {
        for (OperatorSetIdProto set : model.getOpsetImportList()) {
            if (set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx")) {
                if (set.getVersion() < OLDEST_OPSET || set.getVersion() > NEWEST_OPSET) {
                    throw new InvalidInputException("the model uses ONNX operator set " + set.getVersion() + "; "
                            + OLDEST_OPSET + " to " + NEWEST_OPSET
                            + " can be imported: export with opset_version=17");
                }
                return (int) set.getVersion();
            }
        }
        throw new InvalidInputException("the model names no ONNX operator set; the file is damaged: export it again");
    }
}
