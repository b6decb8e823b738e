package dev.samediff.adapters.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;

/**
 * Names of ops, as they must be for a graph to survive {@link SameDiff#dup()} and {@link SameDiff#save}.
 *
 * <p>When SameDiff M2.1 reads a graph, it takes the variable that is named like an op for the op's result, whatever the
 * file says. The name of a variable may therefore be that of its own op or of no op.
 */
public final class OpNames {
    private OpNames() {}

    /** Gives every op that is named like a variable it does not make a name of its own. */
    public static void settle(SameDiff graph) {
        for (SameDiffOp op : List.copyOf(graph.getOps().values())) {
            String name = op.getName();
            List<String> outputs = op.getOutputsOfOp();
            if (graph.hasVariable(name) && (outputs == null || !outputs.contains(name))) {
                rename(graph, name, free(graph, name));
            }
        }
    }

    private static String free(SameDiff graph, String name) {
        String free = name + "_op";
        while (graph.hasVariable(free) || graph.getOps().containsKey(free)) {
            free += "_";
        }
        return free;
    }

    /** Renames an op, which keeps its place in the order of the ops. */
    static void rename(SameDiff graph, String from, String to) {
        SameDiffOp renamed = Internals.op(graph, from);
        Map<String, SameDiffOp> ops = new LinkedHashMap<>();
        graph.getOps().forEach((name, op) -> ops.put(name.equals(from) ? to : name, op));
        graph.getOps().clear();
        graph.getOps().putAll(ops);
        renamed.setName(to);
        renamed.getOp().setOwnName(to);
        GraphVersion.of(graph).structureChanged();
        for (Variable variable : graph.getVariables().values()) {
            if (from.equals(variable.getOutputOfOp())) {
                variable.setOutputOfOp(to);
            }
            replace(variable.getInputsForOp(), from, to, variable::setInputsForOp);
            replace(variable.getControlDepsForOp(), from, to, variable::setControlDepsForOp);
        }
    }

    private static void replace(@Nullable List<String> names, String from, String to, Consumer<List<String>> changed) {
        if (names != null && names.contains(from)) {
            List<String> replaced = new ArrayList<>(names); // SameDiff adds to it later
            Collections.replaceAll(replaced, from, to);
            changed.accept(replaced);
        }
    }
}
