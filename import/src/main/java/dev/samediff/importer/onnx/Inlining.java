package dev.samediff.importer.onnx;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import org.jspecify.annotations.Nullable;

/**
 * Puts copies of nodes from a body (of a function, of a branch) into a graph: values the body makes get names of their
 * own, values it is given keep the names they have outside.
 */
final class Inlining {
    private final Set<String> taken = new HashSet<>();
    private final Map<String, Integer> last = new HashMap<>();

    /** Starts with all names of a graph. */
    Inlining(GraphProto graph) {
        graph.getInputList().forEach(input -> taken.add(input.getName()));
        graph.getInitializerList().forEach(tensor -> taken.add(tensor.getName()));
        graph.getNodeList().forEach(node -> {
            taken.addAll(node.getOutputList());
            taken.add(node.getName());
        });
    }

    /** Returns a name that nothing has, after the node whose body is put in its place. */
    String prefix(NodeProto node) {
        return fresh(new OnnxNode(node).name());
    }

    private String fresh(String wanted) {
        String name = wanted;
        while (!taken.add(name)) {
            name = wanted + "_" + last.merge(wanted, 1, Integer::sum);
        }
        return name;
    }

    /** Returns new names for values made by the body's nodes, those in {@code given} excepted. */
    Map<String, String> rename(List<NodeProto> body, String prefix, Map<String, String> given) {
        Map<String, String> names = new HashMap<>(given);
        for (NodeProto node : body) {
            for (String output : node.getOutputList()) {
                if (!output.isEmpty() && !names.containsKey(output)) {
                    names.put(output, fresh(prefix + "/" + output));
                }
            }
        }
        return names;
    }

    /** Returns a copy of a node with other names of values, in nested graphs too. */
    static NodeProto.Builder copy(NodeProto node, String prefix, Map<String, String> names) {
        NodeProto.Builder copy = node.toBuilder();
        if (!node.getName().isEmpty()) {
            copy.setName(prefix + "/" + node.getName());
        }
        for (int i = 0; i < node.getInputCount(); i++) {
            copy.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
        }
        for (int i = 0; i < node.getOutputCount(); i++) {
            copy.setOutput(i, names.getOrDefault(node.getOutput(i), node.getOutput(i)));
        }
        for (int i = 0; i < node.getAttributeCount(); i++) {
            if (node.getAttribute(i).hasG()) {
                GraphProto nested = nested(node.getAttribute(i).getG(), names);
                copy.setAttribute(i, node.getAttribute(i).toBuilder().setG(nested));
            }
        }
        return copy;
    }

    /** Nested graphs see the values around them; what they make themselves keeps its names. */
    private static GraphProto nested(GraphProto graph, Map<String, String> names) {
        Map<String, String> visible = new HashMap<>(names);
        graph.getInputList().forEach(input -> visible.remove(input.getName()));
        graph.getInitializerList().forEach(tensor -> visible.remove(tensor.getName()));
        graph.getNodeList().forEach(node -> node.getOutputList().forEach(visible::remove));
        GraphProto.Builder copy = graph.toBuilder();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            NodeProto node = graph.getNode(i);
            copy.setNode(i, copy(node, "", visible).setName(node.getName()));
        }
        for (int i = 0; i < graph.getOutputCount(); i++) {
            String name = graph.getOutput(i).getName();
            if (visible.containsKey(name)) {
                copy.setOutput(i, graph.getOutput(i).toBuilder().setName(visible.get(name)));
            }
        }
        return copy.build();
    }

    /**
     * Replaces references to attributes of a function by what the caller gives, or by their default; without either
     * the attribute is absent.
     */
    static void resolve(NodeProto.Builder node, Map<String, AttributeProto> given) {
        for (int i = node.getAttributeCount() - 1; i >= 0; i--) {
            AttributeProto attribute = node.getAttribute(i);
            if (!attribute.getRefAttrName().isEmpty()) {
                @Nullable AttributeProto value = given.get(attribute.getRefAttrName());
                if (value == null) {
                    node.removeAttribute(i);
                } else {
                    node.setAttribute(i, value.toBuilder().setName(attribute.getName()));
                }
            } else if (attribute.hasG()) {
                GraphProto.Builder nested = attribute.getG().toBuilder();
                for (int k = 0; k < nested.getNodeCount(); k++) {
                    resolve(nested.getNodeBuilder(k), given);
                }
                node.setAttribute(i, attribute.toBuilder().setG(nested));
            }
        }
    }
}
