package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The nodes of a graph that outputs need, each after those it reads from; circles (old loops) are left open. */
final class LiveNodes {
    private final Map<String, TensorFlowNode> nodes;
    private final Set<String> given;
    private final List<TensorFlowNode> ordered = new ArrayList<>();
    private final Map<String, Integer> outputs = new HashMap<>();
    private final Set<String> seen = new HashSet<>();
    private final Deque<TensorFlowNode> stack = new ArrayDeque<>();
    private final Deque<Integer> next = new ArrayDeque<>();

    /**
     * Walks back from the outputs, depth first with an explicit stack.
     *
     * @param nodes all nodes by name
     * @param given tensors that need no node
     * @param wanted the tensors asked for
     */
    LiveNodes(Map<String, TensorFlowNode> nodes, Set<String> given, Collection<String> wanted) {
        this.nodes = nodes;
        this.given = given;
        for (String tensor : wanted) {
            visit(tensor);
            while (!stack.isEmpty()) {
                TensorFlowNode node = stack.peek();
                int input = next.pop();
                if (input < node.inputs().size()) {
                    next.push(input + 1);
                    visit(node.inputs().get(input));
                } else {
                    ordered.add(stack.pop());
                }
            }
        }
    }

    private void visit(String tensor) {
        if (given.contains(tensor)) {
            return;
        }
        String name = TensorFlowNode.node(tensor);
        TensorFlowNode node = nodes.get(name);
        if (node == null) {
            throw new InvalidInputException(
                    "tensor '" + tensor + "' is read but no node writes it; the file is damaged: export it again");
        }
        outputs.merge(name, TensorFlowNode.output(tensor) + 1, Math::max);
        if (seen.add(name)) {
            stack.push(node);
            next.push(0);
        }
    }

    /** Returns the nodes. */
    List<TensorFlowNode> ordered() {
        return ordered;
    }

    /** Returns how many outputs of a node are read. */
    int outputs(String node) {
        return outputs.getOrDefault(node, 1);
    }
}
