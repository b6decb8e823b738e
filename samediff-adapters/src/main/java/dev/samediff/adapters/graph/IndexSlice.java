package dev.samediff.adapters.graph;

import java.util.Arrays;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.shape.StridedSlice;

/**
 * A slice that stands for a lookup of known indices. It is marked, also in a graph that was saved, so that engines refuse it
 * where the axis is too short; other slices end there.
 */
public final class IndexSlice {
    /** Among the slice's numbers, of which it reads none. */
    private static final double MARK = 0x696e6478;

    private IndexSlice() {}

    /**
     * Takes neighbouring elements of an axis; the axis stays.
     *
     * @param graph the graph
     * @param x what is sliced
     * @param rank how many axes it has
     * @param axis the axis
     * @param first the first index
     * @param last the last index; both are 0 or more, or both below zero, counted from the end
     */
    public static SDVariable of(SameDiff graph, SDVariable x, int rank, int axis, long first, long last) {
        long[] begin = new long[rank];
        long[] end = new long[rank];
        long[] steps = new long[rank];
        Arrays.fill(steps, 1);
        begin[axis] = first;
        end[axis] = last + 1;
        int all = (1 << rank) - 1;
        int toEnd = last == -1 ? all : all & ~(1 << axis);
        StridedSlice op = new StridedSlice(graph, x, begin, end, steps, 0, toEnd, 0, 0, 0);
        op.addTArgument(MARK);
        return op.outputVariable();
    }

    /** Tells whether an op is such a slice. */
    public static boolean isOne(DifferentialFunction op) {
        return op.opName().equals("strided_slice")
                && op instanceof CustomOp custom
                && Arrays.equals(custom.tArgs(), new double[] {MARK});
    }
}
