package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.lowering.Lowering;
import dev.samediff.importer.onnx.OnnxFile;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import org.jspecify.annotations.Nullable;
import org.tensorflow.framework.TensorInfo;

/** A TensorFlow graph being translated into an ONNX graph: the nodes that outputs need, each after those it reads from. */
public final class Translation {
    private static final int OPSET = 18;
    private static final int IR_VERSION = 8;
    private static final Set<String> SILENT =
            Set.of("NoOp", "Assert", "Print", "PrintV2", "Const", "Placeholder", "SaveV2", "MergeV2Checkpoints");

    private final Source source;
    private final FunctionInlining.Flat flat;
    private final ChosenInputs chosen;
    private final Variables variables;
    private final Map<String, String> wanted;
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("tensorflow");
    private final Map<String, String> values = new HashMap<>();
    private final Set<String> fed = new HashSet<>();
    private final Map<String, String> initializers = new HashMap<>();
    private final Map<StoredTensor.Key, String> constants = new HashMap<>();
    private final Set<String> taken = new HashSet<>();
    private final Map<String, List<String>> refused = new TreeMap<>();

    /**
     * A translated graph.
     *
     * @param model the ONNX model; what could not be translated stands in it as nodes of the domain "tensorflow"
     * @param refused why nodes could not be translated, by operator
     */
    public record Translated(ModelProto model, Map<String, List<String>> refused) {}

    private Translation(Source source, List<String> outputs, List<String> inputs) {
        this.source = source;
        this.flat = DecidedSwitches.decided(FunctionInlining.inlined(source.graph()));
        this.chosen = ChosenInputs.of(inputs, flat);
        this.variables = new Variables(flat.nodes(), source.bundle());
        this.wanted = wanted(outputs);
    }

    /**
     * Reads and translates a frozen GraphDef or a SavedModel folder.
     *
     * @param outputs keys of the signature or names of nodes or tensors; empty: the signature's, or all nodes nobody reads
     * @param signature which signature of a SavedModel; null: serving_default, or the only one
     * @param inputs tensors that are given instead of computed, by name, or {@code name=tensor}
     * @throws InvalidInputException if it is missing, damaged, or has variables without values
     */
    public static Translated translate(
            Path path, List<String> outputs, @Nullable String signature, List<String> inputs) {
        Source source = Source.read(path, signature);
        try {
            return new Translation(source, outputs, inputs).translate();
        } catch (InvalidInputException e) {
            throw String.valueOf(e.getMessage()).startsWith(path.toString())
                    ? e
                    : new InvalidInputException(path + ": " + e.getMessage(), e);
        }
    }

    private Translated translate() {
        wanted.keySet().forEach(taken::add);
        source.inputs().keySet().forEach(taken::add);
        source.inputs().forEach(this::addInput);
        chosen.inputs().forEach((name, info) -> {
            taken.add(name);
            addInput(name, info);
        });
        LiveNodes live = new LiveNodes(flat.nodes(), values.keySet(), wanted.values());
        requireValues(live.ordered());
        live.ordered().forEach(node -> translate(node, live.outputs(node.name())));
        Map<String, String> results = new LinkedHashMap<>();
        wanted.forEach((key, tensor) -> results.put(key, value(tensor)));
        results.forEach((key, value) -> {
            add("output/" + key, "Identity", Map.of(), new String[] {key}, value);
            graph.addOutput(Inputs.output(key, source.outputs().get(key)));
        });
        return new Translated(model(graph), refused);
    }

    private ModelProto model(GraphProto.Builder nodes) {
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName(source.producer())
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .setGraph(nodes)
                .build();
    }

    /** Returns the whole numbers of a computed tensor that are the same for every input; nothing if they are not. */
    Optional<long[]> known(String tensor) {
        String value = value(tensor);
        GraphProto.Builder part = graph.clone().clearOutput();
        part.addOutput(onnx.Onnx.ValueInfoProto.newBuilder().setName(value));
        try {
            OnnxFile nodes = OnnxFile.of(source.path(), model(part), null);
            return Optional.ofNullable(
                            Lowering.known(nodes.graph(), List.of(value)).get(value))
                    .map(HostTensor::asLongs);
        } catch (InvalidInputException notEvenThat) {
            return Optional.empty();
        }
    }

    /** The tensors asked for by the names their values get. */
    private Map<String, String> wanted(List<String> chosen) {
        Map<String, String> result = new LinkedHashMap<>();
        if (chosen.isEmpty() && !source.outputs().isEmpty()) {
            source.outputs().forEach((key, info) -> result.put(key, flat.tensor(info.getName())));
            return result;
        }
        for (String name : chosen) {
            TensorInfo info = source.outputs().get(name);
            String tensor = flat.tensor(info == null ? name : info.getName());
            if (!flat.nodes().containsKey(TensorFlowNode.node(tensor))) {
                throw new InvalidInputException("there is no output, node or tensor '" + name + "'; outputs are "
                        + Names.some(
                                source.outputs().isEmpty()
                                        ? unread()
                                        : source.outputs().keySet()));
            }
            result.put(TensorFlowNode.tensor(name), tensor);
        }
        if (chosen.isEmpty()) {
            unread().forEach(name -> result.put(name, name));
        }
        if (result.isEmpty()) {
            throw new InvalidInputException("every node is read by another, so there is no output; name the outputs");
        }
        return result;
    }

    /** Nodes that compute something that no other node reads. */
    private Set<String> unread() {
        Set<String> names = new LinkedHashSet<>();
        flat.nodes().forEach((name, node) -> {
            if (!SILENT.contains(node.operator()) && !Variables.isVariable(node)) {
                names.add(name);
            }
        });
        flat.nodes().values().forEach(node -> node.inputs().forEach(input -> names.remove(TensorFlowNode.node(input))));
        // conditions that are decided are read by nobody any more, and were no outputs
        source.graph()
                .getNodeList()
                .forEach(node ->
                        new TensorFlowNode(node).inputs().forEach(input -> names.remove(TensorFlowNode.node(input))));
        return names;
    }

    private void addInput(String key, TensorInfo info) {
        String tensor = flat.tensor(info.getName());
        graph.addInput(Inputs.declared(key, info.getDtype(), info.getTensorShape()));
        String alias = fresh(TensorFlowNode.node(tensor));
        if (!alias.equals(key)) {
            add(alias, "Identity", Map.of(), new String[] {alias}, key);
        }
        values.put(tensor, alias);
        fed.add(tensor);
    }

    private void requireValues(List<TensorFlowNode> nodes) {
        List<String> open = nodes.stream()
                .filter(Variables::isVariable)
                .map(TensorFlowNode::name)
                .toList();
        if (open.isEmpty() || variables.areStored()) {
            return;
        }
        throw new InvalidInputException("the graph has " + open.size() + " variables without values ("
                + Names.some(open) + "); freeze it with its checkpoint:"
                + " python -m tensorflow.python.tools.freeze_graph --input_graph=" + source.path()
                + " --input_binary=true --input_checkpoint=model.ckpt --output_node_names="
                + String.join(",", wanted.keySet())
                + " --output_graph=frozen.pb; or save it with tf.saved_model.save and give the complete folder");
    }

    private void translate(TensorFlowNode node, int outputs) {
        if (node.operator().equals("Const") || Variables.isVariable(node)) {
            return;
        }
        if (node.operator().equals("Placeholder")) {
            bind(node.name(), Inputs.add(graph, node, fresh(node.name())));
            return;
        }
        TensorFlowOp op = TensorFlowOperators.of(node.operator());
        if (op == null) {
            refuse(node, outputs, node.name() + " (" + TensorFlowOperators.reason(node.operator()) + ")");
            return;
        }
        try {
            op.translate(new TensorFlowCall(node, this));
        } catch (InvalidInputException e) {
            refuse(node, outputs, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) { // as where ONNX is translated: inputs and attributes of any length and kind
            refuse(
                    node,
                    outputs,
                    node.name() + ", whose inputs or attributes are not valid (" + e.getMessage() + ")"
                            + NotValid.DAMAGED);
        }
    }

    private void refuse(TensorFlowNode node, int outputs, String reason) {
        refused.computeIfAbsent(node.operator(), operator -> new ArrayList<>()).add(reason);
        String[] names = new String[outputs];
        for (int i = 0; i < names.length; i++) {
            names[i] = fresh(node.output(i));
            bind(node.output(i), names[i]);
        }
        add(node.name(), "tensorflow:" + node.operator(), Map.of(), names);
    }

    /** Returns the ONNX value of a tensor; constants and variables become initializers when they are first read. */
    String value(String tensor) {
        String known = values.get(tensor);
        if (known != null) {
            return known;
        }
        Optional<StoredTensor> stored = stored(tensor);
        if (stored.isEmpty()) {
            throw new InvalidInputException("tensor '" + tensor + "' is not known; it may be part of a loop: export"
                    + " one pass of the model, without loops");
        }
        return value(tensor, "", stored.get());
    }

    /** Returns a stored tensor in some form, as an initializer of its own: one for each form that is read. */
    String value(String tensor, String form, StoredTensor changed) {
        TensorFlowNode node = root(tensor);
        return initializers.computeIfAbsent(node.name() + ":" + form, key -> {
            String name = fresh(Variables.isVariable(node) ? variables.name(node) : node.name());
            graph.addInitializer(changed.onnx(name));
            return name;
        });
    }

    /** Tells whether a tensor is a Const or a variable, so that it becomes an initializer when it is read. */
    boolean isStored(String tensor) {
        if (values.containsKey(tensor)) {
            return false;
        }
        TensorFlowNode node = root(tensor);
        return Variables.isVariable(node) || node.operator().equals("Const");
    }

    /** Returns the Const or variable behind a tensor, or nothing if it is computed. */
    Optional<StoredTensor> stored(String tensor) {
        TensorFlowNode node = root(tensor);
        if (Variables.isVariable(node)) {
            return Optional.of(variables.value(node));
        }
        if (node.operator().equals("Const") && node.attribute("value") != null) {
            return Optional.of(StoredTensor.of(
                    java.util.Objects.requireNonNull(node.attribute("value")).getTensor(), node.toString()));
        }
        return Optional.empty();
    }

    /** The node behind those that only pass a tensor on, as far as it is not given as an input. */
    private TensorFlowNode root(String tensor) {
        TensorFlowNode node = node(tensor);
        String at = tensor;
        for (int hops = 0; hops < flat.nodes().size(); hops++) {
            if (fed.contains(at) || !Passing.isPassing(node.operator())) {
                break;
            }
            at = node.inputs().get(0);
            node = node(at);
        }
        return node;
    }

    /** Returns the node that writes a tensor. */
    TensorFlowNode node(String tensor) {
        TensorFlowNode node = flat.nodes().get(TensorFlowNode.node(tensor));
        if (node == null) {
            throw new InvalidInputException("no node writes tensor '" + tensor + "'" + NotValid.DAMAGED);
        }
        return node;
    }

    /** Returns a constant; equal ones are the same value. */
    String constant(StoredTensor tensor) {
        return constants.computeIfAbsent(tensor.key(), key -> {
            String name = fresh("constant_" + constants.size());
            graph.addInitializer(tensor.onnx(name));
            return name;
        });
    }

    /** Returns a name that no value has yet. */
    String fresh(String name) {
        String unique = name;
        for (int i = 1; !taken.add(unique); i++) {
            unique = name + "_" + i;
        }
        return unique;
    }

    /** Says which ONNX value a tensor is. */
    void bind(String tensor, String value) {
        values.put(tensor, value);
    }

    /** Adds a node. */
    void add(String name, String operator, Map<String, ?> attributes, String[] results, String... inputs) {
        int colon = operator.indexOf(':');
        NodeProto.Builder node = NodeProto.newBuilder()
                .setName(name)
                .setDomain(colon < 0 ? "" : operator.substring(0, colon))
                .setOpType(operator.substring(colon + 1))
                .addAllAttribute(OnnxNode.of(name, operator, 0, 0, attributes).attributes());
        graph.addNode(node.addAllInput(Arrays.asList(inputs)).addAllOutput(Arrays.asList(results)));
    }
}
