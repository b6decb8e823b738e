package dev.samediff.adapters.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;

/** The ops that some variables need, each after everything it depends on. */
public final class ExecutionOrder {
    private ExecutionOrder() {}

    /**
     * One op of a graph.
     *
     * @param name the op's name
     * @param function what it computes
     * @param inputs variables it reads, in order
     * @param outputs variables it computes, in order
     */
    public record Node(String name, DifferentialFunction function, List<String> inputs, List<String> outputs) {
        private static Node of(SameDiffOp op) {
            return new Node(op.getName(), op.getOp(), orEmpty(op.getInputsToOp()), orEmpty(op.getOutputsOfOp()));
        }
    }

    /**
     * Returns the ops in an order that is the same in every process.
     *
     * @param graph the graph
     * @param outputs variables to compute
     */
    public static List<Node> of(SameDiff graph, Collection<String> outputs) {
        List<Node> order = new ArrayList<>();
        Set<String> entered = new HashSet<>();
        Set<String> done = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        for (String output : outputs) {
            push(graph, output, open);
            while (!open.isEmpty()) {
                String name = open.peek();
                SameDiffOp op = Objects.requireNonNull(graph.getOps().get(name), name);
                if (entered.add(name)) {
                    orEmpty(op.getInputsToOp()).forEach(input -> push(graph, input, open));
                    orEmpty(op.getControlDeps()).forEach(input -> push(graph, input, open));
                } else {
                    open.pop();
                    if (done.add(name)) {
                        order.add(Node.of(op));
                    }
                }
            }
        }
        return order;
    }

    private static List<String> orEmpty(List<String> names) {
        return names == null ? List.of() : List.copyOf(names);
    }

    private static void push(SameDiff graph, String variable, Deque<String> open) {
        Variable v = graph.getVariables().get(variable);
        if (v == null) {
            throw new IllegalStateException("the graph has no variable `" + variable + "`");
        }
        if (v.getOutputOfOp() != null) {
            open.push(v.getOutputOfOp());
        }
    }
}
