package dev.samediff.adapters.engine.nd4j;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ops.CustomOp;

/**
 * What the places that an op reads are called in errors: a placeholder, also behind casts and other shapes, or a variable that
 * the graph computes; or one coordinate of their rows.
 *
 * @param graph the graph of the op, if it belongs to one
 * @param name the op's name
 * @param opName the kind of op
 * @param inputs names of its inputs
 */
record IndexNames(@Nullable SameDiff graph, String name, String opName, List<String> inputs) {
    private static final Set<String> PASSING = Set.of("identity", "cast", "reshape", "expand_dims", "squeeze");

    /** Returns the op by the variable it makes: people and importers name variables, SameDiff names ops. */
    String op() {
        SameDiffOp op = graph == null ? null : graph.getOps().get(name);
        List<String> outputs = op == null ? null : op.getOutputsOfOp();
        return "op " + opName + (outputs == null || outputs.isEmpty() ? "" : ", which makes `" + outputs.get(0) + "`");
    }

    String source(int input) {
        if (graph == null || input >= inputs.size()) {
            return "input " + input;
        }
        return source(graph, inputs.get(input));
    }

    private static String source(SameDiff graph, String variable) {
        String name = variable;
        for (DifferentialFunction op = producer(graph, name); op != null; op = producer(graph, name)) {
            if (!PASSING.contains(op.opName())) {
                long coordinate = coordinate(op);
                return coordinate < 0
                        ? "`" + variable + "`"
                        : "coordinate " + coordinate + " of "
                                + source(graph, op.arg(0).name());
            }
            name = op.arg(0).name();
        }
        return Placeholders.isOne(graph, name) ? "the placeholder `" + name + "`" : "`" + variable + "`";
    }

    private static @Nullable DifferentialFunction producer(SameDiff graph, String variable) {
        return graph.hasVariable(variable) ? graph.getVariableOutputOp(variable) : null;
    }

    /** Returns which element of the last axis a slice takes and nothing else, or -1: masks, then where each axis begins. */
    private static long coordinate(DifferentialFunction op) {
        long[] arguments =
                op.opName().equals("strided_slice") && op instanceof CustomOp custom ? custom.iArgs() : new long[0];
        int rank = (arguments.length - 5) / 3;
        if (rank < 1 || arguments[1] != 0 || arguments[3] != 0) {
            return -1;
        }
        long last = 1L << (rank - 1);
        boolean others = (arguments[0] | last) == 2 * last - 1 && (arguments[2] | last) == 2 * last - 1;
        return others && arguments[4] == last ? arguments[4 + rank] : -1;
    }
}
