package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;

/** Replaces If nodes whose condition is known by the branch that is taken. */
final class Branches {
    private final GraphProto.Builder graph;
    private final Inlining inlining;
    private final List<NodeProto> nodes = new ArrayList<>();

    private Branches(GraphProto graph) {
        this.graph = graph.toBuilder();
        this.inlining = new Inlining(graph);
    }

    /**
     * Returns the model with decided If nodes replaced.
     *
     * @param decisions the condition by the name of the If's first output
     */
    static ModelProto taken(ModelProto model, Map<String, Boolean> decisions) {
        Branches branches = new Branches(model.getGraph());
        for (NodeProto node : model.getGraph().getNodeList()) {
            Boolean condition = isIf(node) ? decisions.get(node.getOutput(0)) : null;
            if (condition == null) {
                branches.nodes.add(node);
            } else {
                branches.take(node, body(node, condition ? "then_branch" : "else_branch"));
            }
        }
        branches.graph.clearNode().addAllNode(branches.nodes);
        return model.toBuilder().setGraph(branches.graph).build();
    }

    /** Tells whether the node chooses between two graphs. */
    static boolean isIf(NodeProto node) {
        return node.getOpType().equals("If") && node.getDomain().isEmpty() && node.getOutputCount() > 0;
    }

    private static GraphProto body(NodeProto node, String name) {
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.getName().equals(name) && attribute.hasG()) {
                return attribute.getG();
            }
        }
        throw new InvalidInputException("If '" + node.getName() + "' has no " + name + NotValid.ONNX);
    }

    private void take(NodeProto node, GraphProto body) {
        String prefix = inlining.prefix(node);
        Map<String, String> given = new HashMap<>();
        body.getInitializerList().forEach(tensor -> given.put(tensor.getName(), prefix + "/" + tensor.getName()));
        Map<String, String> names = inlining.rename(body.getNodeList(), prefix, given);
        body.getInitializerList()
                .forEach(tensor -> graph.addInitializer(tensor.toBuilder().setName(names.get(tensor.getName()))));
        for (NodeProto inner : body.getNodeList()) {
            nodes.add(Inlining.copy(inner, prefix, names).build());
        }
        for (int i = 0; i < Math.min(body.getOutputCount(), node.getOutputCount()); i++) {
            String inside = body.getOutput(i).getName();
            nodes.add(LocalFunctions.identity(prefix + "/" + i, names.getOrDefault(inside, inside), node.getOutput(i)));
        }
    }
}
