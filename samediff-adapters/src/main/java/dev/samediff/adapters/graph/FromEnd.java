package dev.samediff.adapters.graph;

import java.util.Arrays;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.AddOp;

/**
 * The addition of an axis' size to indices, which takes those below zero, counted from the end, to the front. It is marked, also
 * in a graph that was saved, so that engines know the numbers for indices and refuse those outside of the axis. SameDiff's own
 * sessions just add: where indices turn into one-hot rows, or into places in a flattened tensor, nothing else would notice.
 */
public final class FromEnd {
    /** Among the addition's whole-number arguments, of which it reads none. */
    private static final long MARK = 0x696e646578L;

    private FromEnd() {}

    /**
     * Adds the size.
     *
     * @param graph the graph
     * @param name the name of the result, which errors mention; something is appended if there is such a variable
     * @param indices LONG, of any shape
     * @param size LONG, a scalar: indices are -size to size - 1
     * @return indices + size, in the shape of the indices
     */
    public static SDVariable add(SameDiff graph, String name, SDVariable indices, SDVariable size) {
        AddOp op = new AddOp(graph, indices, size);
        op.addIArgument(MARK);
        String free = name;
        while (graph.hasVariable(free)) {
            free += "_";
        }
        return graph.updateVariableNameAndReference(op.outputVariable(), free);
    }

    /** Tells whether an op is such an addition: input 0 are indices, input 1 is the size of their axis. */
    public static boolean isOne(DifferentialFunction op) {
        return op.opName().equals("add")
                && op instanceof CustomOp custom
                && Arrays.equals(custom.iArgs(), new long[] {MARK});
    }
}
