package dev.samediff.adapters.graph;

import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;

/** Look-ups in SameDiff's maps that do not return null. */
final class Internals {
    private Internals() {}

    static Variable variable(SameDiff graph, String name) {
        Variable variable = graph.getVariables().get(name);
        if (variable == null) {
            throw new IllegalStateException("the graph has no variable `" + name + "`");
        }
        return variable;
    }

    static SameDiffOp op(SameDiff graph, String name) {
        SameDiffOp op = graph.getOps().get(name);
        if (op == null) {
            throw new IllegalStateException("the graph has no op `" + name + "`");
        }
        return op;
    }

    /** Names of the ops that read a variable. */
    static List<String> readers(SameDiff graph, String variable) {
        List<String> readers = variable(graph, variable).getInputsForOp();
        return readers == null ? List.of() : readers;
    }

    /** Names of the variables an op reads. */
    static List<String> inputs(SameDiffOp op) {
        List<String> inputs = op.getInputsToOp();
        return inputs == null ? List.of() : inputs;
    }
}
