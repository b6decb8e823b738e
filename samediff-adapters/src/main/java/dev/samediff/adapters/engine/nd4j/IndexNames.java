package dev.samediff.adapters.engine.nd4j;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * What the places that an op reads are called in errors: a placeholder, also behind casts and other shapes, or a variable that
 * the graph computes.
 *
 * @param graph the graph of the op, if it belongs to one
 * @param name the op's name
 * @param opName the kind of op
 * @param inputs names of its inputs
 */
record IndexNames(@Nullable SameDiff graph, String name, String opName, List<String> inputs) {
    private static final Set<String> PASSING = Set.of("identity", "cast", "reshape", "expand_dims", "squeeze");

    String op() {
        return "op `" + name + "`, " + opName;
    }

    String source(int input) {
        if (graph == null || input >= inputs.size()) {
            return "input " + input;
        }
        String variable = inputs.get(input);
        String placeholder = placeholder(graph, variable);
        return placeholder == null ? "`" + variable + "`" : "the placeholder `" + placeholder + "`";
    }

    /** Returns the placeholder whose elements a variable holds in the same order, or null if there is none. */
    static @Nullable String placeholder(SameDiff graph, String variable) {
        String name = variable;
        while (graph.hasVariable(name)) {
            if (graph.getVariable(name).isPlaceHolder()) {
                return name;
            }
            DifferentialFunction producer = graph.getVariableOutputOp(name);
            if (producer == null || !PASSING.contains(producer.opName())) {
                return null;
            }
            name = producer.arg(0).name();
        }
        return null;
    }
}
