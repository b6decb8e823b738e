package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Replaces the numbers of weight tensors in an ONNX graph and leaves everything else as it is.
 *
 * <p>A tensor that only matrix products read, directly or through Identity and Transpose nodes, is replaced where it
 * stands. A tensor that something else reads as well (an embedding tied to the head) is kept, and the matrix products
 * get a tensor of their own.
 */
public final class OnnxWeightEditor {
    private static final String UNTIED = "::untied";

    private static final Set<String> HANDING_ON = Set.of("Identity", "Cast");

    private final Onnx.ModelProto.Builder model;
    private final Onnx.GraphProto.Builder graph;
    private final Map<String, Integer> initializers = new HashMap<>();
    private final Map<String, Integer> constantNodes = new HashMap<>();
    private final Map<String, String> identities = new HashMap<>();
    private final TensorReaders readers;
    private final Set<String> names = new HashSet<>();
    private final NewValues numbers = new NewValues();
    private final Map<Integer, List<Onnx.NodeProto>> added = new HashMap<>();
    private final Map<String, ComputedWeight> computed;
    private final Set<String> replaced = new HashSet<>();

    /** Starts from a model, which itself is not changed. */
    public OnnxWeightEditor(Onnx.ModelProto source) {
        this(source, Map.of());
    }

    /**
     * Starts from a model, which itself is not changed.
     *
     * @param computed the weights that the file computes, by the names they have here
     */
    public OnnxWeightEditor(Onnx.ModelProto source, Map<String, ComputedWeight> computed) {
        this.computed = Map.copyOf(computed);
        this.model = source.toBuilder();
        this.graph = model.getGraphBuilder();
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            initializers.put(graph.getInitializer(i).getName(), i);
        }
        for (int i = 0; i < graph.getNodeCount(); i++) {
            Onnx.NodeProto node = graph.getNode(i);
            if (HANDING_ON.contains(node.getOpType()) && node.getInputCount() > 0 && node.getOutputCount() > 0) {
                identities.put(node.getOutput(0), node.getInput(0));
            }
            if (node.getOpType().equals("Constant") && node.getOutputCount() > 0 && constantValue(node) >= 0) {
                constantNodes.put(node.getOutput(0), i);
            }
            names.addAll(node.getOutputList());
        }
        this.readers = new TensorReaders(graph);
        graph.getInputList().forEach(input -> names.add(input.getName()));
        names.addAll(initializers.keySet());
    }

    /** The model as it is now. */
    public Onnx.ModelProto build() {
        if (added.isEmpty()) {
            return UnreadValues.dropped(model.build(), replaced);
        }
        List<Onnx.NodeProto> nodes = new ArrayList<>();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            nodes.add(graph.getNode(i));
            nodes.addAll(added.getOrDefault(i, List.of()));
        }
        Onnx.ModelProto.Builder complete = model.build().toBuilder();
        complete.getGraphBuilder().clearNode().addAllNode(nodes);
        return UnreadValues.dropped(complete.build(), replaced);
    }

    /** Returns who reads tensors. */
    TensorReaders readers() {
        return readers;
    }

    /** Puts nodes behind a product. */
    void addAfter(TensorReaders.Product product, Onnx.NodeProto... nodes) {
        added.computeIfAbsent(product.index(), index -> new ArrayList<>()).addAll(List.of(nodes));
    }

    /** Adds a value to a product's result; the sum has the name that the result had. */
    void addToOutput(TensorReaders.Product product, String change) {
        String output = product.node().getOutput(0);
        String plain = freshName(output + ".base");
        graph.getNodeBuilder(product.index()).setOutput(0, plain);
        addAfter(
                product,
                Onnx.NodeProto.newBuilder()
                        .setOpType("Add")
                        .setName(change + "/Add")
                        .addInput(plain)
                        .addInput(change)
                        .addOutput(output)
                        .build());
    }

    /** Adds an initializer and returns its name: the wanted one, unless that is taken. */
    String addTensor(String wanted, Onnx.TensorProto tensor, INDArray given) {
        Onnx.TensorProto named = tensor.toBuilder().setName(freshName(wanted)).build();
        return add(numbers.put(named, given));
    }

    /** Adds an initializer of whole numbers and returns its name: the wanted one, unless that is taken. */
    String addWhole(String wanted, Onnx.TensorProto tensor) {
        return add(tensor.toBuilder().setName(freshName(wanted)).build());
    }

    private String add(Onnx.TensorProto tensor) {
        initializers.put(tensor.getName(), graph.getInitializerCount());
        graph.addInitializer(tensor);
        if (model.getIrVersion() < 4) { // where every initializer is an input, too
            graph.addInput(ValueInfos.of(tensor));
        }
        return tensor.getName();
    }

    /** Puts a node behind all others. */
    void append(Onnx.NodeProto node) {
        graph.addNode(node);
    }

    /**
     * Adds an output.
     *
     * @param name name of a value
     * @param type element type
     * @param dims sizes, as numbers or names
     */
    void addOutput(String name, int type, List<String> dims) {
        graph.addOutput(ValueInfos.of(name, type, dims));
    }

    /** Returns the element type of an output; FLOAT if the file does not say. */
    public int outputType(String name) {
        return ValueInfos.type(graph.getOutputList(), name);
    }

    /** Returns the version of ONNX's own operators. */
    long opset() {
        return model.getOpsetImportList().stream()
                .filter(set -> set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx"))
                .mapToLong(Onnx.OperatorSetIdProto::getVersion)
                .max()
                .orElse(1);
    }

    /** Sets an entry of the model's metadata. */
    public void metadata(String key, String value) {
        Onnx.StringStringEntryProto entry = Onnx.StringStringEntryProto.newBuilder()
                .setKey(key)
                .setValue(value)
                .build();
        for (int i = 0; i < model.getMetadataPropsCount(); i++) {
            if (model.getMetadataProps(i).getKey().equals(key)) {
                model.setMetadataProps(i, entry);
                return;
            }
        }
        model.addMetadataProps(entry);
    }

    /** The tensor of that name, an initializer or the value of a Constant node. */
    public Onnx.TensorProto tensor(String name) {
        Integer initializer = initializers.get(name);
        if (initializer != null) {
            return graph.getInitializer(initializer);
        }
        Integer node = constantNodes.get(name);
        if (node != null) {
            return graph.getNode(node)
                    .getAttribute(constantValue(graph.getNode(node)))
                    .getT();
        }
        ComputedWeight weight = computed.get(name);
        if (weight != null) {
            return weight.template();
        }
        boolean quantised = name.endsWith("::dequantised")
                || graph.getNodeList().stream()
                        .anyMatch(each -> each.getOpType().equals("DequantizeLinear")
                                && each.getOutputList().contains(name));
        if (quantised) {
            throw new InvalidInputException("Weight " + name + " is quantised in the ONNX file, which cannot hold other"
                    + " numbers; adapt and merge the model the file was quantised from, and quantise the result");
        }
        throw new InvalidInputException("The ONNX file has no weight tensor named " + name
                + "; write into the file that was imported (it has " + initializers.size() + " initializers)");
    }

    /**
     * Replaces a tensor for every matrix product that reads it.
     *
     * @param name of an initializer or of the output of a Constant node
     * @param owner what to name a new tensor after, should one be needed
     * @param values of the tensor's shape
     * @return the name of the tensor that the products read now
     */
    public String replaceInProducts(String name, String owner, INDArray values) {
        Onnx.TensorProto replacement = numbers.put(tensor(name), values);
        ComputedWeight weight = computed.get(name);
        requireReplaceable(name, owner);
        if (weight != null) {
            return replaceComputed(weight, owner, values);
        }
        TensorReaders.Reads reads = readers.of(name);
        if (reads.exclusive()) {
            put(name, replacement);
            return name;
        }
        String fresh = freshName(owner);
        redirect(reads.products(), replacement, fresh);
        return fresh;
    }

    /**
     * Checks that a tensor can be replaced for the products that read it.
     *
     * @throws InvalidInputException if it cannot, with the reason
     */
    public void requireReplaceable(String name, String owner) {
        ComputedWeight weight = computed.get(name);
        TensorReaders.Reads reads = readers.of(weight == null ? name : weight.value());
        if (weight == null && reads.entangled()) {
            throw new InvalidInputException(
                    "Tensor " + name + " of the ONNX file passes through a Transpose or Cast node"
                            + " to a matrix product and to something else; export the model with constant folding to merge into"
                            + " it");
        }
        boolean unread = weight != null && weight.packed()
                ? readers.packedProducts(weight.value()).isEmpty()
                : reads.products().isEmpty() && (weight != null || !reads.exclusive());
        if (unread) {
            throw new InvalidInputException("No matrix product of the ONNX file reads tensor " + name
                    + ", so merged values for " + owner + " have no place; merge into linear layers only");
        }
    }

    /** Lets the products that multiply by a computed weight read a tensor of their own. */
    private String replaceComputed(ComputedWeight weight, String owner, INDArray given) {
        String fresh = freshName(owner);
        INDArray stored = weight.packed() ? given.transpose().dup('c') : given;
        Onnx.TensorProto.Builder template = weight.template().toBuilder();
        if (weight.packed()) {
            template.clearDims().addDims(stored.size(0)).addDims(stored.size(1));
        }
        List<TensorReaders.Read> products = weight.packed()
                ? readers.packedProducts(weight.value())
                : readers.of(weight.value()).products();
        if (weight.packed()) {
            products.forEach(read -> unpack(read.node()));
        }
        redirect(products, numbers.put(template.build(), stored), fresh);
        replaced.add(weight.value());
        return fresh;
    }

    /** A product with packed numbers becomes one with real ones, and the sum with its bias. */
    private void unpack(int index) {
        PackedProduct packed = new PackedProduct(graph.getNode(index));
        replaced.addAll(packed.numbers());
        String product = packed.bias().isEmpty() ? packed.output() : freshName(packed.output() + ".product");
        if (!packed.bias().isEmpty()) {
            added.computeIfAbsent(index, at -> new ArrayList<>()).add(0, packed.sum(product));
        }
        graph.setNode(index, packed.product(product));
    }

    /** The value in the file that a weight is. */
    String valueOf(String name) {
        ComputedWeight weight = computed.get(name);
        return weight == null ? name : weight.value();
    }

    /**
     * Gives every matrix product whose matrix is also an embedding table a tensor of its own with the same numbers.
     *
     * <p>Exporters that fold constants do the same. Only so can the head of a tied model be adapted without changing the
     * embedding. {@link #original} tells what a new tensor is a copy of.
     */
    public void untie() {
        for (Onnx.NodeProto node : List.copyOf(graph.getNodeList())) {
            boolean looksUp = node.getOpType().equals("Gather") && node.getInputCount() > 0;
            String table = looksUp ? throughIdentities(node.getInput(0)) : "";
            if (initializers.containsKey(table)
                    && tensor(table).getDimsCount() == 2
                    && WeightChains.isReal(tensor(table).getDataType())) {
                separateProducts(table);
            }
        }
    }

    private void separateProducts(String table) {
        TensorReaders.Reads reads = readers.of(table);
        if (!reads.exclusive() && !reads.entangled() && !reads.products().isEmpty()) {
            redirect(reads.products(), tensor(table), freshName(table + UNTIED));
        }
    }

    /** The name in the file of a tensor, which is another one if {@link #untie} made it. */
    public static String original(String tensor) {
        int mark = tensor.lastIndexOf(UNTIED);
        return mark < 0 ? tensor : tensor.substring(0, mark);
    }

    /** Nothing is known of the graph yet: Identity nodes may form a circle. */
    private String throughIdentities(String value) {
        String source = value;
        for (int i = 0; i < TensorReaders.LONGEST_CHAIN && identities.containsKey(source); i++) {
            source = identities.getOrDefault(source, source);
        }
        return source;
    }

    private void redirect(List<TensorReaders.Read> products, Onnx.TensorProto tensor, String fresh) {
        add(tensor.toBuilder().setName(fresh).build());
        for (TensorReaders.Read read : products) {
            readers.move(read, fresh);
            graph.getNodeBuilder(read.node()).setInput(read.input(), fresh);
        }
    }

    /** Replaces a tensor for everything that reads it but matrix products: they keep its numbers, in a copy if need be. */
    public void replaceElsewhere(String name, INDArray values) {
        ComputedWeight weight = computed.get(name);
        if (weight != null) {
            Onnx.TensorProto replacement = numbers.put(weight.template(), values);
            List<TensorReaders.Read> others = readers.others(weight.value());
            if (weight.packed() || others.isEmpty()) {
                throw new InvalidInputException(
                        "nothing in the ONNX file looks rows of " + weight.value()
                                + " up in a way that other numbers could be written for; adapt other layers, or save the graph by SameDiff.save");
            }
            redirect(others, replacement, freshName(name));
            replaced.add(weight.value());
            return;
        }
        separateProducts(name);
        put(name, numbers.put(tensor(name), values));
    }

    /** Gives a tensor other numbers for everything that reads it, products too: they stay tied. */
    public void replaceEverywhere(String name, INDArray values) {
        if (computed.containsKey(name)) {
            if (!readers.of(computed.get(name).value()).products().isEmpty()) {
                replaceInProducts(name, name, values);
            }
            replaceElsewhere(name, values);
        } else {
            put(name, numbers.put(tensor(name), values));
        }
    }

    /** Returns the new values by the {@code location} that their tensors name, for {@link ModelOutput}. */
    public Map<String, TensorData> values() {
        return numbers.byLocation();
    }

    private void put(String name, Onnx.TensorProto replacement) {
        Integer initializer = initializers.get(name);
        Integer constant = constantNodes.get(name);
        if (initializer != null) {
            graph.setInitializer(initializer, replacement);
        } else if (constant != null) {
            int value = constantValue(graph.getNode(constant));
            graph.getNodeBuilder(constant).getAttributeBuilder(value).setT(replacement);
        }
    }

    /** Returns a name that nothing has. */
    String freshName(String wanted) {
        String fresh = wanted;
        for (int i = 1; !names.add(fresh); i++) {
            fresh = wanted + ".merged" + (i == 1 ? "" : i);
        }
        return fresh;
    }

    /** The position of a Constant node's tensor among its attributes, or -1. */
    private static int constantValue(Onnx.NodeProto node) {
        for (int i = 0; i < node.getAttributeCount(); i++) {
            if (node.getAttribute(i).getName().equals("value")
                    && node.getAttribute(i).hasT()) {
                return i;
            }
        }
        return -1;
    }
}
