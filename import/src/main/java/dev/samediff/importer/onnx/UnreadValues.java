package dev.samediff.importer.onnx;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;

/** Drops what nobody reads any more after a weight was replaced: what it was computed from. */
final class UnreadValues {
    private UnreadValues() {}

    /**
     * Returns the model without the nodes and tensors that only these values were computed from, as far as nothing else reads
     * them.
     */
    static ModelProto dropped(ModelProto model, Set<String> values) {
        if (values.isEmpty()) {
            return model;
        }
        GraphProto graph = model.getGraph();
        List<NodeProto> nodes = new ArrayList<>(graph.getNodeList());
        Set<String> candidates = new HashSet<>(values);
        boolean found = true;
        while (found) {
            Set<String> read = read(graph, nodes);
            List<NodeProto> unread = nodes.stream()
                    .filter(node -> node.getOutputList().stream().anyMatch(candidates::contains)
                            && node.getOutputList().stream().noneMatch(read::contains))
                    .toList();
            found = !unread.isEmpty();
            nodes.removeAll(unread);
            unread.forEach(node -> candidates.addAll(node.getInputList()));
        }
        Set<String> read = read(graph, nodes);
        GraphProto.Builder left =
                graph.toBuilder().clearNode().addAllNode(nodes).clearInitializer();
        graph.getInitializerList().stream()
                .filter(tensor -> !candidates.contains(tensor.getName()) || read.contains(tensor.getName()))
                .forEach(left::addInitializer);
        left.clearInput();
        Set<String> stored = new HashSet<>();
        graph.getInitializerList().forEach(tensor -> stored.add(tensor.getName()));
        graph.getInputList().stream()
                .filter(input -> !stored.contains(input.getName())
                        || !candidates.contains(input.getName())
                        || read.contains(input.getName()))
                .forEach(left::addInput);
        return model.toBuilder().setGraph(left).build();
    }

    private static Set<String> read(GraphProto graph, List<NodeProto> nodes) {
        Set<String> read = new HashSet<>();
        graph.getOutputList().forEach(output -> read.add(output.getName()));
        nodes.forEach(node -> addRead(node, read));
        return read;
    }

    private static void addRead(NodeProto node, Set<String> read) {
        read.addAll(node.getInputList());
        node.getAttributeList().stream().filter(attribute -> attribute.hasG()).forEach(attribute -> {
            attribute.getG().getNodeList().forEach(inner -> addRead(inner, read));
            attribute.getG().getOutputList().forEach(output -> read.add(output.getName()));
        });
    }
}
