package dev.samediff.importer.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/** A graph while nodes of it are replaced: what is known about its values, and the nodes and tensors of the new one. */
final class GraphRewriting {
    private final GraphProto graph;
    private final Map<String, TensorProto> stored = new HashMap<>();
    private final Map<String, OnnxNode> writers = new HashMap<>();
    private final Map<String, List<OnnxNode>> readers = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();
    private final Set<String> names = new HashSet<>();
    private final List<NodeProto> nodes = new ArrayList<>();
    private final List<TensorProto> tensors = new ArrayList<>();

    GraphRewriting(GraphProto graph) {
        this.graph = graph;
        graph.getInitializerList().forEach(tensor -> stored.put(tensor.getName(), tensor));
        graph.getInputList().forEach(input -> names.add(input.getName()));
        graph.getOutputList().forEach(output -> outputs.add(output.getName()));
        for (NodeProto proto : graph.getNodeList()) {
            OnnxNode node = new OnnxNode(proto);
            node.outputs().forEach(output -> writers.put(output, node));
            node.inputs()
                    .forEach(input -> readers.computeIfAbsent(input, name -> new ArrayList<>())
                            .add(node));
            TensorProto constant = node.operator().equals("Constant") ? node.tensor("value") : null;
            if (constant != null) {
                stored.put(node.output(0), constant);
            }
        }
        names.addAll(stored.keySet());
        names.addAll(writers.keySet());
    }

    List<NodeProto> source() {
        return graph.getNodeList();
    }

    /** The stored tensor of that name, an initializer or a Constant node's; null if it is computed. */
    @Nullable
    TensorProto stored(String value) {
        return stored.get(value);
    }

    /** All stored tensors by name. */
    Map<String, TensorProto> allStored() {
        return stored;
    }

    boolean isStored(String value) {
        return stored.containsKey(value);
    }

    /** The node that writes a value; null if none does. */
    @Nullable
    OnnxNode writer(String value) {
        return writers.get(value);
    }

    /** The only node that reads a value, if it is of that operator; else null. */
    @Nullable
    OnnxNode onlyReader(String value, String operator) {
        List<OnnxNode> all = readers.getOrDefault(value, List.of());
        return all.size() == 1
                        && !outputs.contains(value)
                        && all.get(0).operator().equals(operator)
                ? all.get(0)
                : null;
    }

    boolean isOutput(String value) {
        return outputs.contains(value);
    }

    /** A name that nothing has yet. */
    String fresh(String wanted) {
        String name = wanted;
        for (int i = 1; !names.add(name); i++) {
            name = wanted + "_" + i;
        }
        return name;
    }

    void keep(NodeProto node) {
        nodes.add(node);
    }

    /** Adds a node that writes one value, and returns the value's name. */
    String emit(String operator, String name, List<AttributeProto> attributes, String output, String... inputs) {
        int colon = operator.indexOf(':');
        nodes.add(NodeProto.newBuilder()
                .setDomain(colon < 0 ? "" : operator.substring(0, colon))
                .setOpType(operator.substring(colon + 1))
                .setName(name)
                .addAllAttribute(attributes)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build());
        return output;
    }

    /** As {@link #emit}, named like its output. */
    String emit(String operator, String output, String... inputs) {
        return emit(operator, output, List.of(), output, inputs);
    }

    /** Adds a stored tensor, which must have a name that is free. */
    String store(TensorProto tensor) {
        tensors.add(tensor);
        stored.put(tensor.getName(), tensor);
        return tensor.getName();
    }

    /** Adds a stored real number without axes. */
    String number(String wanted, double value) {
        return store(TensorProto.newBuilder()
                .setName(fresh(wanted))
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData((float) value)
                .build());
    }

    /** The graph with the nodes that were kept and added. */
    GraphProto result() {
        return graph.toBuilder()
                .clearNode()
                .addAllNode(nodes)
                .addAllInitializer(tensors)
                .build();
    }

    /** A whole-number attribute. */
    static AttributeProto attribute(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }
}
