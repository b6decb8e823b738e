package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Puts nodes into an order in which every value is written before it is read, and drops nodes no output needs. */
final class TopologicalOrder {
    private final Map<String, OnnxNode> writers = new HashMap<>();
    private final Set<String> given;
    private final List<OnnxNode> ordered = new ArrayList<>();
    private final Set<OnnxNode> done = new HashSet<>();
    private final Set<OnnxNode> open = new HashSet<>();

    private TopologicalOrder(List<OnnxNode> nodes, Set<String> given) {
        this.given = given;
        for (OnnxNode node : nodes) {
            for (String output : node.outputs()) {
                if (!output.isEmpty() && writers.put(output, node) != null) {
                    throw new InvalidInputException("value '" + output + "' is written by two nodes" + NotValid.ONNX);
                }
            }
        }
    }

    /**
     * Sorts the nodes.
     *
     * @param nodes nodes in any order
     * @param given names of values that need no node: inputs and initializers
     * @param wanted names of the graph's outputs
     * @throws InvalidInputException if a value is missing or nodes depend on each other in a circle
     */
    static List<OnnxNode> sort(List<OnnxNode> nodes, Set<String> given, List<String> wanted) {
        TopologicalOrder order = new TopologicalOrder(nodes, given);
        for (String output : wanted) {
            order.visit(output, "the graph's outputs");
        }
        return order.ordered;
    }

    /** Depth first with an explicit stack: graphs are thousands of nodes deep. */
    private void visit(String output, String reader) {
        Deque<OnnxNode> stack = new ArrayDeque<>();
        push(output, reader, stack);
        while (!stack.isEmpty()) {
            OnnxNode node = stack.peek();
            int before = stack.size();
            for (String input : node.inputs()) {
                if (stack.size() == before) {
                    push(input, node.toString(), stack);
                }
            }
            if (stack.size() == before) {
                stack.pop();
                open.remove(node);
                done.add(node);
                ordered.add(node);
            }
        }
    }

    private void push(String value, String reader, Deque<OnnxNode> stack) {
        if (value.isEmpty() || given.contains(value)) {
            return;
        }
        OnnxNode writer = writers.get(value);
        if (writer == null) {
            throw new InvalidInputException("value '" + value + "', read by " + reader
                    + ", is neither an input, an initializer nor the output of a node" + NotValid.ONNX);
        }
        if (done.contains(writer)) {
            return;
        }
        if (!open.add(writer)) {
            throw new InvalidInputException(writer + " depends on its own output '" + value + "'" + NotValid.ONNX);
        }
        stack.push(writer);
    }
}
