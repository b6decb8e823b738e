package dev.samediff.importer;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.AddedLayers;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.importer.huggingface.HubFolder;
import dev.samediff.importer.lowering.KnownSizes;
import dev.samediff.importer.onnx.ComputedWeight;
import dev.samediff.importer.onnx.ExternalData;
import dev.samediff.importer.onnx.OnnxWeightEditor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import onnx.Onnx.ModelProto;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A transformer as a plain SameDiff graph, with what is known about it from its ONNX file.
 *
 * <p>Linear weights and biases and the vectors of normalisation layers are VARIABLEs, so the graph can be trained as it
 * is. Embedding tables and all other stored numbers are CONSTANTs.
 */
public final class ImportedModel implements BaseModel {
    private final ModelProto model;
    private final FileStamp stamp;
    private final SameDiff graph;
    private final ImportReport report;
    private final Map<String, String> aliases;
    private final Map<String, String> initializers;
    private final Map<String, ComputedWeight> computed;
    private final KnownSizes sizes;
    private final ExternalData files;
    private final Vocabulary vocabulary;
    private final Set<String> variables;
    private final List<AddedHead> heads = new ArrayList<>();

    ImportedModel(
            ModelProto model,
            SameDiff graph,
            ImportReport report,
            Map<String, String> aliases,
            Map<String, String> initializers,
            Map<String, ComputedWeight> computed,
            KnownSizes sizes,
            ExternalData files,
            Vocabulary vocabulary) {
        this.model = model;
        this.stamp = FileStamp.of(report.source());
        this.graph = graph;
        this.report = report;
        this.aliases = Map.copyOf(aliases);
        this.initializers = Map.copyOf(initializers);
        this.computed = Map.copyOf(computed);
        this.sizes = sizes;
        this.files = files;
        this.vocabulary = vocabulary;
        this.variables = Set.copyOf(graph.variableMap().keySet());
    }

    /**
     * Checks that nothing was built onto the graph that a file of the import would lack.
     *
     * @throws InvalidInputException if there are matrices in it that came after the import, such as those of a head
     */
    void requireNothingAdded() {
        List<String> added = AddedLayers.of(graph, variables).stream()
                .filter(name -> heads.stream().noneMatch(head -> head.owns(name)))
                .toList();
        if (!added.isEmpty()) {
            throw new InvalidInputException(
                    "the graph has layers that were built onto it after the import (" + added
                            + "); they are not part of " + source()
                            + ", and an ONNX file written from it would lack them: add"
                            + " a head by addHead, save the graph with SameDiff.save, or import the file again to write the model without them");
        }
    }

    /**
     * Checks that the vocabulary is that of the file.
     *
     * @throws InvalidInputException if it was resized after the import
     */
    void requireSameVocabulary() {
        for (EmbeddingTable table : embeddings()) {
            long rows = height(table);
            if (rows != table.rows()) {
                throw new InvalidInputException("the vocabulary was resized after the import: `" + table.weight()
                        + "` has " + rows + " rows, in " + source() + " it has " + table.rows()
                        + ". Save the graph with SameDiff.save; for an ONNX file put the adapter on the model that"
                        + " ImportedModel.resizeTokenEmbeddings(" + rows + ") returns");
            }
        }
    }

    /**
     * Returns the model with another number of tokens, imported again: {@link ImportOptions#withVocabulary}. This one stays as it is, so
     * it comes before heads and adapters.
     *
     * <pre>{@code
     * ImportedModel model = OnnxImporter.load(file).resizeTokenEmbeddings(tokenizer.vocabularySize());
     * }</pre>
     *
     * @param tokens how many tokens there shall be
     * @throws InvalidInputException if the file has no vocabulary, or says its size in something that cannot be changed
     */
    public ImportedModel resizeTokenEmbeddings(int tokens) {
        requireUnchanged();
        if (!heads.isEmpty()) {
            throw new InvalidInputException("a head was added to " + source()
                    + "; resize the vocabulary first and add the head to the model that it returns");
        }
        return vocabulary.resized(tokens);
    }

    /** Returns how many tokens the vocabulary has; nothing if it cannot be told, or the size is part of something that cannot be changed. */
    public OptionalInt tokens() {
        try {
            return OptionalInt.of(Math.toIntExact(vocabulary.use().size()));
        } catch (InvalidInputException noneToResize) {
            return OptionalInt.empty();
        }
    }

    /** Returns the tokens that the vocabulary has beside those of the file, for {@code AdapterConfig.withTrainableTokens}. */
    public int[] addedTokens() {
        return vocabulary.added();
    }

    /**
     * Returns the model with as many tokens as a saved adapter was trained with: those of the tables and heads that it holds, or as many
     * as the rows that it trained ask for. The model itself, if it has them.
     *
     * @throws InvalidInputException as {@link #resizeTokenEmbeddings}
     */
    public ImportedModel resizedFor(AdapterState adapter) {
        OptionalInt tokens = AdapterVocabulary.of(adapter, this, vocabulary);
        return tokens.isPresent() ? resizeTokenEmbeddings(tokens.getAsInt()) : this;
    }

    private long height(EmbeddingTable table) {
        INDArray array = graph.hasVariable(table.weight())
                ? graph.getVariable(table.weight()).getArr()
                : null;
        return array == null || array.rank() != 2 ? table.rows() : array.size(0);
    }

    /** Returns what a bound of the file is after a table of that height was resized. */
    private long bound(long inFile) {
        return embeddings().stream()
                .filter(table -> table.rows() == inFile)
                .mapToLong(this::height)
                .max()
                .orElse(inFile);
    }

    /**
     * Adds a head to the first output that it fits, as {@link #addHead(TaskHead, String)}.
     *
     * @throws InvalidInputException if no output is [batch, tokens, width], or [batch, width] for {@link Pooling#GIVEN}
     */
    public String addHead(TaskHead head) {
        int axes = head.pooling() == Pooling.GIVEN ? 2 : 3;
        TensorSpec features = outputs().stream()
                .filter(output -> output.dims().size() == axes)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("no output of " + source() + " has " + axes
                        + " axes, which a head of pooling " + head.pooling() + " needs; the outputs are "
                        + outputs().stream()
                                .map(output -> output.name() + " " + output.dims())
                                .toList()));
        return addHead(head, features.name());
    }

    /**
     * Adds a head to an output, before an adapter is injected. Files that {@link OnnxWriter} writes then have it too, as nodes at the
     * end and an output of its own.
     *
     * @param head the head; its mask is the input whose name has {@code attention_mask} in it
     * @param output name of an output
     * @return name of the head's result in the graph
     * @throws InvalidInputException if there is no such output or mask, or the output has another form than the pooling needs
     */
    public String addHead(TaskHead head, String output) {
        TensorSpec features = outputs().stream()
                .filter(each -> each.name().equals(output))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("there is no output '" + output + "' in " + source()
                        + " to put a head on; there are "
                        + outputs().stream().map(TensorSpec::name).toList()));
        AddedHead added = AddedHead.add(graph, head, features, inputs());
        heads.add(added);
        return added.logits();
    }

    /** Returns the heads that were added. */
    List<AddedHead> heads() {
        return heads;
    }

    /**
     * Checks that the file is the one that was imported.
     *
     * @throws InvalidInputException if it was removed or has another size or date since
     */
    void requireUnchanged() {
        if (!stamp.equals(FileStamp.of(source()))) {
            throw new InvalidInputException(
                    source() + " was changed or removed since it was imported; import it again before writing from it");
        }
    }

    /**
     * Checks that every number that is looked up in a table is there: SameDiff reads beside the table otherwise, which ends
     * in wrong numbers or the end of the process.
     *
     * @param inputs arrays by the input's name, in the file or in the graph; others are not looked at
     * @throws InvalidInputException if a number is negative or as large as the table is high
     */
    public void requireValid(Map<String, INDArray> inputs) {
        for (TensorSpec input : inputs()) {
            INDArray given = inputs.containsKey(input.name()) ? inputs.get(input.name()) : inputs.get(input.variable());
            if (given != null && !given.isEmpty() && input.bound().isPresent()) {
                requireBelow(input, given, bound(input.bound().getAsLong()));
            }
        }
    }

    private void requireBelow(TensorSpec input, INDArray given, long height) {
        boolean hasVirtual = AdapterTensors.hasPrompt(graph());
        if ((given.minNumber().doubleValue() >= 0 || hasVirtual)
                && given.maxNumber().doubleValue() < height) {
            return;
        }
        long[] numbers = given.dup('c').reshape(given.length()).toLongVector();
        for (int i = 0; i < numbers.length; i++) {
            if ((numbers[i] < 0 && !hasVirtual) || numbers[i] >= height) {
                throw new InvalidInputException(
                        "input '" + input.name() + "' of " + source() + " is " + numbers[i] + " at "
                                + Arrays.toString(position(i, given.shape())) + ", where 0 to " + (height - 1)
                                + " can be looked up; use the tokenizer and the sequence length the model was made for, and a"
                                + " token of its vocabulary for padding");
            }
        }
    }

    private static long[] position(long index, long[] shape) {
        long[] position = new long[shape.length];
        long rest = index;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            position[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        return position;
    }

    /** Returns the ONNX message, without the numbers of large tensors, that weights are written back into. */
    ModelProto model() {
        return model;
    }

    /**
     * Returns how many tokens a text may have: tables of positions and masks end there, and SameDiff reads beside them
     * otherwise. Nothing if the file sets no limit that can be seen.
     */
    public OptionalLong longestText() {
        return new TextLimit(model.getGraph(), sizes).tokens();
    }

    /** Returns an editor of the message, for weights by the names of {@link #initializers()}. */
    OnnxWeightEditor editor() {
        return new OnnxWeightEditor(model, computed);
    }

    /** Returns where tensors outside of the message are. */
    ExternalData files() {
        return files;
    }

    /** Returns what importing found out about sizes. */
    KnownSizes sizes() {
        return sizes;
    }

    @Override
    public SameDiff graph() {
        return graph;
    }

    /** Returns the inputs in the order of the file. */
    public List<TensorSpec> inputs() {
        return report.inputs();
    }

    /** Returns the outputs in the order of the file. */
    public List<TensorSpec> outputs() {
        return report.outputs();
    }

    /** Returns the linear layers in the order of the graph; a weight used several times is one layer. */
    public List<LinearLayer> linearLayers() {
        return report.linearLayers();
    }

    /** Returns the stacks of linear layers, one for each of several experts, in the order of the graph. */
    public List<LinearLayer> experts() {
        return report.experts();
    }

    /** Returns the embedding tables in the order of the graph; a table looked up several times is one. */
    public List<EmbeddingTable> embeddings() {
        return report.embeddings();
    }

    /**
     * Returns the module path by weight variable of all linear layers, and of experts in one tensor. Embedding tables need no entry: their variables are
     * named {@code <module path>.weight}.
     */
    @Override
    public Map<String, String> modulePaths() {
        Map<String, String> paths = new LinkedHashMap<>();
        linearLayers().forEach(layer -> paths.put(layer.weight(), layer.module()));
        experts().forEach(layer -> paths.put(layer.weight(), layer.module()));
        return paths;
    }

    /** Returns the names of the graph's variables by the names that the values have in the file. */
    public Map<String, String> aliases() {
        return aliases;
    }

    /**
     * Returns the name in the file (an initializer, the output of a Constant node, or a name of the importer's for a weight
     * that the file computes from those) by variable, of every weight, bias,
     * normalisation vector and embedding table of the graph. Each has the shape and the orientation that it has in the
     * file: the importer never transposes what is stored. Only weights of convolutions, [out, in, kernel...] in the file,
     * are matrices [out, in * kernel] in the graph, of the same elements in the same order.
     */
    public Map<String, String> initializers() {
        return initializers;
    }

    /** Returns what the file holds and what was made of it. */
    public ImportReport report() {
        return report;
    }

    /** Returns {@code _name_or_path} of a {@code config.json} beside the file, or else the file's path. */
    @Override
    public Optional<String> name() {
        return HubConfig.beside(source()).name().or(() -> Optional.of(place().toString()));
    }

    /** The file, or the folder that is the model. */
    private Path place() {
        Path file = source().toAbsolutePath().normalize();
        return file.endsWith(HubFolder.CONFIG) ? file.resolveSibling("") : file;
    }

    /** Returns the ONNX file, or the {@code config.json} of a Hugging Face folder. */
    public Path source() {
        return report.source();
    }
}
