package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;

/**
 * Replaces Loop nodes whose number of turns is known, and whose condition stays true, by the turns one behind the other; as torch
 * writes {@code repeat_interleave} and scripted loops over a list.
 */
public final class Turns {
    /** Nodes that a loop may become. */
    private static final long MOST_NODES = 1 << 14;

    private static final Set<String> HANDING_ON = Set.of("Identity", "Cast");

    private final GraphProto.Builder graph;
    private final Inlining inlining;
    private final int opset;
    private final List<NodeProto> nodes = new ArrayList<>();

    private Turns(GraphProto graph, int opset) {
        this.graph = graph.toBuilder();
        this.inlining = new Inlining(graph);
        this.opset = opset;
    }

    /**
     * Tells whether a Loop can be replaced.
     *
     * @param loop the node
     * @param count its number of turns
     * @param isTrueOutside whether a value of the graph around it is known to be true
     */
    public static boolean canBeTaken(OnnxNode loop, long count, Predicate<String> isTrueOutside) {
        for (AttributeProto attribute : loop.attributes()) {
            if (attribute.getName().equals("body") && attribute.hasG()) {
                GraphProto body = attribute.getG();
                boolean complete = loop.inputs().size() >= 2
                        && body.getInputCount() == loop.inputs().size()
                        && body.getOutputCount() >= body.getInputCount() - 1;
                return complete
                        && count >= 1
                        && count <= MOST_NODES / Math.max(1, body.getNodeCount())
                        && goesOn(body, isTrueOutside);
            }
        }
        return false;
    }

    /** Whether the condition for the next turn is the one for this turn, or always true. */
    private static boolean goesOn(GraphProto body, Predicate<String> isTrueOutside) {
        Map<String, OnnxNode> writers = new HashMap<>();
        body.getNodeList().forEach(node -> node.getOutputList().forEach(made -> writers.put(made, new OnnxNode(node))));
        String condition = body.getOutput(0).getName();
        for (int i = 0; i < TensorReaders.LONGEST_CHAIN; i++) {
            String name = condition;
            OnnxNode writer = writers.get(name);
            if (writer == null) {
                return name.equals(body.getInput(1).getName())
                        || body.getInitializerList().stream()
                                .anyMatch(tensor -> tensor.getName().equals(name) && isTrue(tensor, name))
                        || isTrueOutside.test(name);
            }
            if (!HANDING_ON.contains(writer.operator())) {
                TensorProto constant = writer.operator().equals("Constant") ? writer.tensor("value") : null;
                return constant != null && isTrue(constant, name);
            }
            condition = writer.input(0);
        }
        return false;
    }

    private static boolean isTrue(TensorProto tensor, String name) {
        long[] values = OnnxTensor.inline(name, tensor).asLongs();
        return values.length == 1 && values[0] != 0;
    }

    /**
     * Returns the model with the turns in place of the loops.
     *
     * @param counts the number of turns by the name of the Loop's first output
     */
    static ModelProto taken(ModelProto model, Map<String, Long> counts, int opset) {
        Turns turns = new Turns(model.getGraph(), opset);
        for (NodeProto node : model.getGraph().getNodeList()) {
            Long count =
                    node.getOpType().equals("Loop") && node.getOutputCount() > 0 ? counts.get(node.getOutput(0)) : null;
            if (count == null) {
                turns.nodes.add(node);
            } else {
                turns.take(node, count);
            }
        }
        turns.graph.clearNode().addAllNode(turns.nodes);
        return model.toBuilder().setGraph(turns.graph).build();
    }

    private void take(NodeProto node, long count) {
        GraphProto body = node.getAttributeList().stream()
                .filter(attribute -> attribute.getName().equals("body"))
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("Loop '" + node.getName() + "' has no body" + NotValid.ONNX))
                .getG();
        String around = inlining.prefix(node);
        Map<String, String> stored = new HashMap<>();
        for (TensorProto tensor : body.getInitializerList()) {
            stored.put(tensor.getName(), around + "/" + tensor.getName());
            graph.addInitializer(tensor.toBuilder().setName(around + "/" + tensor.getName()));
        }
        int carried = body.getInputCount() - 2;
        List<String> state = new ArrayList<>(node.getInputList().subList(2, node.getInputCount()));
        List<List<String>> collected = new ArrayList<>();
        for (int i = carried + 1; i < body.getOutputCount(); i++) {
            collected.add(new ArrayList<>());
        }
        for (long turn = 0; turn < count; turn++) {
            String prefix = inlining.prefix(node);
            Map<String, String> given = new HashMap<>(stored);
            given.put(body.getInput(0).getName(), number(prefix + "/turn", TensorProto.DataType.INT64_VALUE, turn));
            given.put(body.getInput(1).getName(), number(prefix + "/goes_on", TensorProto.DataType.BOOL_VALUE, 1));
            for (int i = 0; i < carried; i++) {
                given.put(body.getInput(2 + i).getName(), state.get(i));
            }
            Map<String, String> names = inlining.rename(body.getNodeList(), prefix, given);
            body.getNodeList()
                    .forEach(inner ->
                            nodes.add(Inlining.copy(inner, prefix, names).build()));
            List<String> next = new ArrayList<>();
            for (int i = 1; i < body.getOutputCount(); i++) {
                String inside = body.getOutput(i).getName();
                String made = names.getOrDefault(inside, inside);
                if (i <= carried) {
                    next.add(made);
                } else {
                    collected.get(i - carried - 1).add(made);
                }
            }
            Collections.copy(state, next);
        }
        for (int i = 0; i < node.getOutputCount(); i++) {
            String output = node.getOutput(i);
            if (output.isEmpty()) {
                continue;
            }
            if (i < carried) {
                nodes.add(LocalFunctions.identity(around + "/" + i, state.get(i), output));
            } else {
                stack(collected.get(i - carried), output);
            }
        }
    }

    private String number(String name, int type, long value) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type);
        graph.addInitializer(
                type == TensorProto.DataType.INT64_VALUE
                        ? tensor.addInt64Data(value)
                        : tensor.addInt32Data((int) value));
        return name;
    }

    /** What the turns hand out, along a new first axis. */
    private void stack(List<String> values, String output) {
        NodeProto.Builder joined = NodeProto.newBuilder()
                .setOpType("Concat")
                .setName(output + "/Concat")
                .addAttribute(GraphRewriting.attribute("axis", 0))
                .addOutput(output);
        for (int i = 0; i < values.size(); i++) {
            String row = output + "/row_" + i;
            nodes.add(NewAxis.of(values.get(i), 0, row, opset, graph));
            joined.addInput(row);
        }
        nodes.add(joined.build());
    }
}
