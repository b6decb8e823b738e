package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.LinearSites;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.importer.lowering.Lowering;
import dev.samediff.importer.lowering.Operators;
import dev.samediff.importer.naming.GraphNames;
import dev.samediff.importer.naming.LinearUse;
import dev.samediff.importer.naming.VocabularyUse;
import dev.samediff.importer.naming.WeightRoles;
import dev.samediff.importer.onnx.OnnxFile;
import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxInput;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.onnx.OutputTypes;
import dev.samediff.importer.onnx.VocabularyEdit;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Imports transformers from ONNX: what torch.onnx and Optimum write for GPT-2, Llama and BERT architectures, operator sets
 * 9 to 18, with static or dynamic sizes.
 *
 * <p>The steps, each a package: read and check the file ({@code onnx}), tell weights from constants and recover module
 * paths ({@code naming}), evaluate what does not depend on the inputs ({@code folding}), emit SameDiff operators
 * ({@code lowering}).
 */
public final class OnnxImporter {
    private final ImportOptions options;
    private final OnnxFile read;
    private final OnnxFile file;
    private int ofFile; // tokens, if others are asked for
    private final WeightRoles roles;
    private final GraphNames names;
    private final List<String> notes = new ArrayList<>();

    /** Imports a model that was read already; data outside of its message are read from its file or from beside it. */
    OnnxImporter(OnnxFile read, ImportOptions options) {
        this.options = options;
        this.read = read;
        OnnxFile whole = cut(decided(read, options), options);
        this.file = options.vocabulary().isPresent()
                ? resized(whole, options.vocabulary().getAsInt(), options)
                : whole;
        this.roles = new WeightRoles(file.graph());
        this.names = new GraphNames(file.graph(), roles);
    }

    /**
     * Imports a file.
     *
     * @param file an ONNX model
     * @return the graph and what is known about it
     * @throws InvalidInputException if the file is missing, damaged or too new, or holds operators that cannot be
     *     imported (all of them are named at once)
     */
    public static ImportedModel load(Path file) {
        return load(file, ImportOptions.defaults());
    }

    /** As {@link #load(Path)}, with options. */
    public static ImportedModel load(Path file, ImportOptions options) {
        return new OnnxImporter(OnnxFile.read(file, options.floats()), options).build();
    }

    /**
     * Looks at a file without building a graph; unsupported operators are reported, not refused.
     *
     * @param file an ONNX model
     * @throws InvalidInputException if the file is missing, damaged or too new
     */
    public static ImportReport inspect(Path file) {
        ImportOptions options = ImportOptions.defaults();
        return new OnnxImporter(OnnxFile.read(file, options.floats()), options).inspect(Map.of());
    }

    /** Adds a remark to the report. */
    void note(String text) {
        notes.add(text);
    }

    /**
     * Reports on the file.
     *
     * @param known reasons for operators that are refused, found while it was translated
     */
    ImportReport inspect(Map<String, String> known) {
        Map<String, List<String>> refused = unsupported(file.graph());
        Map<String, String> reasons = new TreeMap<>(known);
        Lowering.refusals(file.graph()).forEach((node, reason) -> {
            refused.computeIfAbsent(node.operator(), operator -> new ArrayList<>())
                    .add(node.name());
            reasons.putIfAbsent(node.operator(), reason);
        });
        return report(file.graph().outputs(), refused, reasons);
    }

    /**
     * Replaces If nodes by the branch that is taken, loops by their turns, and lists of tensors by these, as far as conditions and
     * numbers are known while importing.
     */
    private static OnnxFile decided(OnnxFile read, ImportOptions options) {
        OnnxFile file = read;
        while (file.operators().containsKey("If") || file.operators().containsKey("Loop")) {
            Lowering.Decisions decisions = Lowering.decisions(file.graph());
            if (decisions.isEmpty()) {
                break;
            }
            file = file.withBranches(decisions.conditions(), options.floats())
                    .withTurns(decisions.turns(), options.floats());
        }
        Map<String, HostTensor> numbers =
                file.openLists().isEmpty() ? Map.of() : Lowering.known(file.graph(), file.openLists());
        return numbers.isEmpty() ? file : file.withLists(numbers, options.floats());
    }

    /** Finds out by which numbers weights are cut that are computed from the sizes of activations, as far as these are known. */
    private static OnnxFile cut(OnnxFile read, ImportOptions options) {
        Map<String, HostTensor> known = new HashMap<>();
        OnnxFile file = read;
        while (true) {
            Set<String> asked = new HashSet<>(file.openCuts());
            asked.removeAll(known.keySet());
            Map<String, HostTensor> more = asked.isEmpty() ? Map.of() : Lowering.known(file.graph(), asked);
            if (more.isEmpty()) {
                return file;
            }
            known.putAll(more); // what is made of these cuts may be cut once more
            file = read.withCuts(known, options.floats());
        }
    }

    private OnnxFile resized(OnnxFile whole, int tokens, ImportOptions options) {
        try {
            VocabularyEdit edit = VocabularyUse.of(whole.graph(), new WeightRoles(whole.graph()));
            ofFile = Math.toIntExact(edit.size());
            if (edit.size() == tokens) {
                return whole;
            }
            OnnxFile resized = cut(whole.withVocabulary(edit, tokens, options.floats()), options);
            edit.requireIn(resized.graph(), tokens);
            notes.add("the vocabulary has " + tokens + " tokens, in the file " + edit.size());
            return resized;
        } catch (InvalidInputException e) {
            throw new InvalidInputException(whole.path() + ": " + e.getMessage(), e);
        }
    }

    private Vocabulary vocabulary() {
        List<String> told = List.copyOf(notes);
        return new Vocabulary() {
            @Override
            public VocabularyEdit use() {
                return VocabularyUse.of(file.graph(), roles);
            }

            @Override
            public int[] added() {
                return IntStream.range(
                                ofFile, Math.max(ofFile, options.vocabulary().orElse(ofFile)))
                        .toArray();
            }

            @Override
            public ImportedModel resized(int tokens) {
                OnnxImporter other = new OnnxImporter(read, options.withVocabulary(tokens));
                told.stream().filter(note -> !other.notes.contains(note)).forEach(other::note);
                return other.build();
            }
        };
    }

    ImportedModel build() {
        Map<String, List<String>> unsupported = unsupported(file.graph());
        if (!unsupported.isEmpty()) {
            throw new InvalidInputException(
                    file.path() + " (opset " + file.graph().opset()
                            + ") uses operators that cannot be imported: "
                            + report(file.graph().outputs()).unsupportedText()
                            + "; export the model without them, for example with plain attention and opset_version=17");
        }
        try {
            Lowering.Lowered lowered = Lowering.lower(file.graph(), roles, names, notes::add, options.weights());
            SameDiff graph = lowered.graph();
            return new ImportedModel(
                    OutputTypes.declared(file.model(), lowered.outputs()),
                    graph,
                    report(lowered.outputs()),
                    aliases(graph),
                    initializers(graph),
                    file.computed(),
                    lowered.sizes(),
                    file.real().files(),
                    vocabulary());
        } catch (InvalidInputException e) {
            throw new InvalidInputException(file.path() + ": " + e.getMessage(), e);
        }
    }

    private static Map<String, List<String>> unsupported(OnnxGraph graph) {
        Map<String, List<String>> found = new TreeMap<>();
        for (OnnxNode node : graph.nodes()) {
            if (!Operators.names().contains(node.operator())) {
                found.computeIfAbsent(node.operator(), operator -> new ArrayList<>())
                        .add(node.name());
            }
        }
        return found;
    }

    private ImportReport report(List<OnnxInput> outputs) {
        return report(outputs, unsupported(file.graph()), Map.of());
    }

    private ImportReport report(
            List<OnnxInput> outputs, Map<String, List<String>> unsupported, Map<String, String> reasons) {
        OnnxGraph graph = file.graph();
        return new ImportReport(
                file.path(),
                file.producer(),
                graph.opset(),
                file.nodeCount(),
                file.operators(),
                unsupported,
                inputs(graph),
                outputs.stream().map(this::spec).toList(),
                layers(roles.linears()),
                layers(roles.experts()),
                embeddings(),
                roles.notAdapted(),
                notes(),
                reasons);
    }

    private List<TensorSpec> inputs(OnnxGraph graph) {
        IndexBounds bounds = new IndexBounds(file.model().getGraph());
        return graph.inputs().stream()
                .map(this::spec)
                .map(input -> input.type().isFPType() ? input : input.below(bounds.of(input.name())))
                .toList();
    }

    private TensorSpec spec(OnnxInput declared) {
        List<String> dims = declared.dims().stream().map(Dim::toString).toList();
        return new TensorSpec(declared.name(), names.of(declared.name()), OnnxTypes.held(declared.type()), dims);
    }

    private List<LinearLayer> layers(List<LinearUse> uses) {
        Map<String, LinearLayer> layers = new LinkedHashMap<>();
        for (LinearUse use : uses) {
            layers.computeIfAbsent(use.weight(), weight -> layer(use));
        }
        return List.copyOf(layers.values());
    }

    private List<EmbeddingTable> embeddings() {
        List<EmbeddingTable> embeddings = new ArrayList<>();
        roles.tables().forEach((table, gather) -> {
            long[] shape = Objects.requireNonNull(file.graph().tensor(table)).shape();
            if (shape.length == 2) {
                String weight = names.of(table);
                embeddings.add(new EmbeddingTable(
                        LinearSites.modulePath(weight), weight, (int) shape[0], (int) shape[1], table, gather.name()));
            }
        });
        return embeddings;
    }

    private LinearLayer layer(LinearUse use) {
        OnnxTensor tensor = Objects.requireNonNull(file.graph().tensor(use.weight()));
        long[] matrix = roles.matrix(use.weight());
        long[] shape = matrix == null ? tensor.shape() : matrix;
        int experts = shape.length == 3 ? (int) shape[0] : 1;
        int rows = (int) shape[shape.length == 3 ? 1 : 0];
        int columns = tensor.length() / Math.max(1, experts * rows);
        return new LinearLayer(
                names.module(use.weight()),
                names.of(use.weight()),
                use.transposed() ? Orientation.OUT_IN : Orientation.IN_OUT,
                experts,
                use.transposed() ? columns : rows,
                use.transposed() ? rows : columns,
                use.weight(),
                use.node().name(),
                Optional.ofNullable(use.bias()).map(names::of));
    }

    private List<String> notes() {
        List<String> all = new ArrayList<>();
        for (String table : roles.tables().keySet()) {
            boolean tied = roles.linears().stream().anyMatch(use -> use.weight().equals(table));
            all.add("embedding table '" + table + "' is frozen unless an adapter is put on it by name"
                    + (tied ? "; it is also the weight of " + names.module(table) + ", which is frozen with it" : ""));
        }
        long widened = file.graph().tensorNames().stream()
                .map(name -> file.graph().tensor(name))
                .filter(tensor -> tensor != null && tensor.isHalf())
                .count();
        if (widened > 0) {
            all.add(widened + " half-precision tensors are widened to " + options.widest());
        }
        if (file.real().activations() > 0) {
            all.add("activations are no longer quantised (" + file.real().activations()
                    + " nodes): results differ from the file's by what it rounds");
        }
        int quantised = file.real().weights().size();
        if (quantised > 0) {
            boolean writable =
                    file.computed().keySet().containsAll(file.real().weights().keySet());
            all.add(quantised + " quantised weights are dequantised to " + options.widest()
                    + (writable
                            ? "; changed weights are written back as real numbers"
                            : "; changed weights cannot be written back into this file"));
        }
        all.addAll(notes);
        return all;
    }

    private Map<String, String> aliases(SameDiff graph) {
        Map<String, String> present = new LinkedHashMap<>();
        names.byRawName().forEach((raw, name) -> {
            if (graph.hasVariable(name)) {
                present.put(raw, name);
            }
        });
        return present;
    }

    private Map<String, String> initializers(SameDiff graph) {
        Map<String, String> result = new LinkedHashMap<>();
        for (String tensor : file.graph().tensorNames()) {
            boolean parameter = roles.isTrainable(tensor) || roles.isTable(tensor);
            if (parameter && graph.hasVariable(names.of(tensor))) {
                result.put(names.of(tensor), tensor);
            }
        }
        return result;
    }
}
