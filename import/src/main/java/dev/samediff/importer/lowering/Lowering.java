package dev.samediff.importer.lowering;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ConvolutionKernels;
import dev.samediff.adapters.graph.OpNames;
import dev.samediff.importer.naming.GraphNames;
import dev.samediff.importer.naming.WeightRoles;
import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxInput;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.onnx.Turns;
import dev.samediff.importer.onnx.WeightLoader;
import dev.samediff.importer.onnx.WeightPlace;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import onnx.Onnx.AttributeProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.array.ThreadSafeArrayHolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Translates a whole graph, node by node in order: folded if its inputs are known, else lowered. */
public final class Lowering {
    private final OnnxGraph source;
    private final WeightRoles roles;
    private final Set<String> unadapted = new HashSet<>();
    private final SameDiff graph = SameDiff.create();
    private final GraphBuilder builder = new GraphBuilder(graph);
    private final VariableNames variables;
    private final Map<String, Value> values = new HashMap<>();
    private final Map<Computation, List<Value>> computed = new HashMap<>();
    private final Set<String> read = new HashSet<>();
    private final NameBlocks blocks;
    private final Translator translator;
    private final @Nullable WeightLoader loader;

    /** The same operator on the same inputs gives the same result and is emitted once. */
    private record Computation(
            String operator, List<AttributeProto> attributes, List<@Nullable Value> inputs, int outputs) {}

    /** The graph, its outputs with their types and sizes, and what was found out about sizes. */
    public record Lowered(SameDiff graph, List<OnnxInput> outputs, KnownSizes sizes) {}

    private Lowering(
            OnnxGraph source,
            WeightRoles roles,
            GraphNames names,
            Consumer<String> notes,
            @Nullable WeightLoader loader) {
        this.source = source;
        graph.setArrayHolders(new ThreadSafeArrayHolder(false), new ThreadSafeArrayHolder(false), false);
        this.roles = roles;
        roles.notAdapted().forEach(weight -> unadapted.add(weight.tensor()));
        this.loader = loader;
        this.variables = new VariableNames(graph, names);
        source.nodes().forEach(node -> read.addAll(node.inputs()));
        source.outputs().forEach(output -> read.add(output.name()));
        this.blocks = new NameBlocks(graph, source.nodes().size());
        this.translator = new Translator(builder, source.opset(), read, notes);
    }

    /**
     * Builds the SameDiff graph.
     *
     * @param names names of the variables; variables that share a value are recorded there as aliases
     * @param notes takes remarks for the report
     * @param place where weights lie
     */
    public static Lowered lower(
            OnnxGraph source, WeightRoles roles, GraphNames names, Consumer<String> notes, WeightPlace place) {
        List<OnnxTensor> weights = source.tensorNames().stream()
                .filter(name -> roles.isTrainable(name) || roles.isTable(name))
                .map(source::tensor)
                .filter(Objects::nonNull)
                .toList();
        try (WeightLoader loader = new WeightLoader(weights, place)) {
            List<OnnxTensor> unread = place.blank() ? weights : List.of();
            return lower(source, roles, names, notes, loader, unread);
        }
    }

    private static Lowered lower(
            OnnxGraph source,
            WeightRoles roles,
            GraphNames names,
            Consumer<String> notes,
            @Nullable WeightLoader loader,
            List<OnnxTensor> unread) {
        Lowering lowering = new Lowering(source, roles, names, notes, loader);
        unread.forEach(lowering.builder.origins()::isFinite);
        source.inputs().forEach(lowering::addInput);
        source.nodes().forEach(lowering::addNode);
        List<OnnxInput> outputs =
                source.outputs().stream().map(lowering::addOutput).toList();
        OpNames.settle(lowering.graph);
        return new Lowered(lowering.graph, outputs, lowering.knownSizes());
    }

    private KnownSizes knownSizes() {
        Map<String, List<Dim>> sizes = new HashMap<>();
        values.forEach((name, value) -> sizes.put(name, value.dims()));
        return new KnownSizes(sizes, builder.sizes().equal());
    }

    /**
     * What is known while importing about nodes that hold graphs, by the name of their first output.
     *
     * @param conditions the conditions of If nodes
     * @param turns the numbers of turns of Loop nodes that can be replaced by them
     */
    public record Decisions(Map<String, Boolean> conditions, Map<String, Long> turns) {
        /** Tells whether nothing is known. */
        public boolean isEmpty() {
            return conditions.isEmpty() && turns.isEmpty();
        }
    }

    /** Finds out what is known about nodes that hold graphs, by a trial without the numbers of weights. */
    public static Decisions decisions(OnnxGraph source) {
        Lowering lowering = trial(source);
        Decisions found = new Decisions(new HashMap<>(), new HashMap<>());
        for (OnnxNode node : source.nodes()) {
            switch (node.operator()) {
                case "If" ->
                    lowering.number(node.input(0))
                            .ifPresent(known -> found.conditions().put(node.output(0), known != 0));
                case "Loop" ->
                    lowering.turns(node).ifPresent(known -> found.turns().put(node.output(0), known));
                default -> lowering.tryNode(node);
            }
        }
        return found;
    }

    /** The number of turns of a loop that goes on until then. */
    private Optional<Long> turns(OnnxNode node) {
        boolean begins = node.input(1).isEmpty() || isTrue(node.input(1));
        return begins
                ? number(node.input(0)).filter(count -> Turns.canBeTaken(node, count, this::isTrue))
                : Optional.empty();
    }

    /**
     * Returns the elements of those of the values that are the same for every input, by a trial without the numbers of weights;
     * left out are those that depend on inputs or on open sizes.
     */
    public static Map<String, HostTensor> known(OnnxGraph source, Collection<String> values) {
        Lowering trial = trial(source);
        source.nodes().forEach(trial::tryNode);
        Map<String, HostTensor> known = new HashMap<>();
        for (String name : values) {
            Value value = trial.values.get(name);
            HostTensor content = value == null ? null : value.content();
            if (content != null && !content.isSymbolic()) {
                known.put(name, content);
            }
        }
        return known;
    }

    /**
     * Returns why nodes are refused whose operators are known, by a trial without the numbers of weights. What reads a refused
     * node is not tried.
     *
     * @return reason by node, in the order of the graph
     */
    public static Map<OnnxNode, String> refusals(OnnxGraph source) {
        Lowering trial = trial(source);
        Map<OnnxNode, String> reasons = new LinkedHashMap<>();
        for (OnnxNode node : source.nodes()) {
            if (Operators.names().contains(node.operator()) && trial.isAvailable(node)) {
                try {
                    trial.addNode(node);
                } catch (InvalidInputException e) {
                    node.outputs().forEach(trial.values::remove);
                    reasons.put(node, String.valueOf(e.getMessage()));
                }
            }
        }
        return reasons;
    }

    private static Lowering trial(OnnxGraph source) {
        WeightRoles roles = new WeightRoles(source);
        Lowering trial = new Lowering(source, roles, new GraphNames(source, roles), note -> {}, null);
        source.inputs().forEach(trial::addInput);
        return trial;
    }

    private boolean isTrue(String name) {
        return number(name).map(condition -> condition != 0).orElse(false);
    }

    /** The one number that a value is, if it is known. */
    private Optional<Long> number(String name) {
        boolean available = !name.isEmpty() && (values.containsKey(name) || source.tensor(name) != null);
        HostTensor content = available ? value(name).content() : null;
        return content == null || content.isSymbolic() || content.length() != 1
                ? Optional.empty()
                : Optional.of(content.asLong(0));
    }

    /** What cannot be translated is of no use to a condition; the real translation will say why. */
    private void tryNode(OnnxNode node) {
        if (isAvailable(node)) {
            try {
                addNode(node);
            } catch (RuntimeException e) {
                node.outputs().forEach(values::remove);
            }
        }
    }

    private boolean isAvailable(OnnxNode node) {
        return node.inputs().stream()
                .allMatch(input -> input.isEmpty() || values.containsKey(input) || source.tensor(input) != null);
    }

    private void addInput(OnnxInput input) {
        long[] shape = input.dims().stream()
                .mapToLong(dim -> dim.isKnown() ? dim.known() : -1)
                .toArray();
        Value value = Value.computed(
                graph.placeHolder(variables.of(input.name()), OnnxTypes.held(input.type()), shape),
                input.type(),
                input.dims());
        builder.sizes().learn(value);
        builder.origins().input(value);
        values.put(input.name(), value);
    }

    private void addNode(OnnxNode node) {
        List<@Nullable Value> inputs = new ArrayList<>();
        node.inputs().forEach(input -> inputs.add(input.isEmpty() ? null : value(input)));
        Computation key = new Computation(
                node.operator(), node.attributes(), inputs, node.outputs().size());
        List<Value> results = computed.get(key);
        if (results == null) {
            results = blocks.inside(() -> translator.translate(node, inputs));
            computed.put(key, results);
        }
        for (int i = 0; i < Math.min(results.size(), node.outputs().size()); i++) {
            String output = node.outputs().get(i);
            Value result = results.get(i);
            if (result.content() == null && result.stored() == null) {
                variables.name(result.variable(), output);
            }
            values.put(output, result);
        }
    }

    private Value value(String name) {
        Value known = values.get(name);
        if (known != null) {
            return known;
        }
        OnnxTensor tensor = source.tensor(name);
        if (tensor == null) {
            throw new InvalidInputException("value '" + name + "' is not made by the node that should" + NotValid.ONNX);
        }
        Value value = stored(tensor);
        values.put(name, value);
        return value;
    }

    private Value stored(OnnxTensor tensor) {
        String name = tensor.name();
        // what no adapter goes on keeps its name too, so that who lists what is left out can say which weight it is
        boolean named = unadapted.contains(name) && tensor.type().isFPType();
        boolean parameter = roles.isTrainable(name) || roles.isTable(name) || named;
        Optional<HostTensor> content = parameter ? Optional.empty() : tensor.toHost();
        if (content.isPresent()) {
            return builder.constant(content.get());
        }
        List<Dim> dims = new ArrayList<>();
        for (long size : shape(tensor)) {
            dims.add(Dim.of(size));
        }
        if (!tensor.type().isFPType()) {
            throw new InvalidInputException("the whole-number tensor '" + name + "' has " + tensor.length()
                    + " elements; up to " + HostTensor.LIMIT + " can be imported");
        }
        return new Value(
                tensor.type(), dims, null, new Value.Stored(tensor, null), () -> blocks.outside(() -> emit(tensor)));
    }

    private long[] shape(OnnxTensor tensor) {
        long[] matrix = roles.matrix(tensor.name());
        return matrix == null ? tensor.shape() : matrix;
    }

    private SDVariable emit(OnnxTensor tensor) {
        String name = variables.of(tensor.name());
        if (loader == null) {
            return graph.placeHolder(name, tensor.type(), shape(tensor));
        }
        INDArray array = loader.take(tensor);
        if (array.rank() != shape(tensor).length) {
            array = array.reshape('c', shape(tensor));
        }
        SDVariable stored = roles.isTrainable(tensor.name()) ? graph.var(name, array) : graph.constant(name, array);
        long[] kernel = roles.kernel(tensor.name());
        if (kernel.length > 0) {
            ConvolutionKernels.put(graph, name, kernel);
        }
        return stored;
    }

    /** Returns the output as declared, or with what was found out if the declaration leaves it open. */
    private OnnxInput addOutput(OnnxInput output) {
        Value value = value(output.name());
        variables.output(value.variable(), output.name());
        boolean complete = output.type() != DataType.UNKNOWN && output.dims().size() == value.rank();
        return complete ? output : new OnnxInput(output.name(), value.type(), value.dims());
    }
}
