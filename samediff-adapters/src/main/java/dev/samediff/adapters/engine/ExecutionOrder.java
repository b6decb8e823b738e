package dev.samediff.adapters.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;

/** The ops that some variables need, each after everything it depends on. */
final class ExecutionOrder {
    private ExecutionOrder() {}

    /** Returns the ops in an order that does not depend on hash codes. */
    static List<SameDiffOp> of(SameDiff graph, Collection<String> outputs) {
        List<SameDiffOp> order = new ArrayList<>();
        Set<String> done = new HashSet<>();
        Set<String> entered = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        for (String output : outputs) {
            push(graph, output, open);
            while (!open.isEmpty()) {
                String name = open.peek();
                SameDiffOp op = graph.getOps().get(name);
                if (done.contains(name)) {
                    open.pop();
                } else if (entered.add(name)) {
                    dependencies(op).forEach(input -> push(graph, input, open));
                } else {
                    open.pop();
                    done.add(name);
                    order.add(op);
                }
            }
        }
        return order;
    }

    private static List<String> dependencies(SameDiffOp op) {
        List<String> names = new ArrayList<>();
        for (List<String> group : new ArrayList<>(java.util.Arrays.asList(op.getInputsToOp(), op.getControlDeps()))) {
            if (group != null) {
                names.addAll(group);
            }
        }
        return names;
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
