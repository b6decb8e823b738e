package dev.samediff.adapters.graph;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;

/** Which variables and ops lie between others. Gradients flow through floating point values only. */
public final class GradientFlow {
    private GradientFlow() {}

    /**
     * Returns the variables that a gradient of some outputs can reach: the outputs, and every floating point variable from
     * which floating point values lead to one of them.
     *
     * @param graph the graph
     * @param outputs variables of it
     */
    public static Set<String> to(SameDiff graph, Collection<String> outputs) {
        Set<String> reached = new LinkedHashSet<>(outputs);
        Deque<String> open = new ArrayDeque<>(outputs);
        while (!open.isEmpty()) {
            String op = Internals.variable(graph, open.pop()).getOutputOfOp();
            if (op != null && !stops(graph, op)) {
                Internals.inputs(Internals.op(graph, op)).stream()
                        .filter(input -> graph.getVariable(input).dataType().isFPType())
                        .filter(reached::add)
                        .forEach(open::push);
            }
        }
        return reached;
    }

    private static boolean stops(SameDiff graph, String op) {
        return Internals.op(graph, op).getOp().opName().equals("stop_gradient");
    }

    /** Returns some variables and every floating point variable that depends on one of them by floating point values. */
    static Set<String> from(SameDiff graph, Collection<String> names) {
        Set<String> reached = new HashSet<>(names);
        Deque<String> open = new ArrayDeque<>(names);
        while (!open.isEmpty()) {
            List<String> readers = Internals.readers(graph, open.pop());
            for (String reader : readers) {
                if (stops(graph, reader)) {
                    continue;
                }
                for (String output : Internals.op(graph, reader).getOutputsOfOp()) {
                    if (graph.getVariable(output).dataType().isFPType() && reached.add(output)) {
                        open.push(output);
                    }
                }
            }
        }
        return reached;
    }

    /** Returns the names of all ops from which values lead to some outputs, but for what {@code stop_gradient} stops. */
    static Set<String> ops(SameDiff graph, Collection<String> outputs) {
        Set<String> ops = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>(outputs);
        Deque<String> open = new ArrayDeque<>(outputs);
        while (!open.isEmpty()) {
            String op = Internals.variable(graph, open.pop()).getOutputOfOp();
            if (op == null || stops(graph, op) || !ops.add(op)) {
                continue;
            }
            Internals.inputs(Internals.op(graph, op)).stream().filter(seen::add).forEach(open::push);
        }
        return ops;
    }
}
