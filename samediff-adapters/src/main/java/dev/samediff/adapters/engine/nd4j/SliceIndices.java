package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.IndexSlice;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;

/**
 * Places in the arguments of strided slices: axes of which one element is taken, and {@link IndexSlice}s. Where there is no such
 * element, ND4J answers with zeros, with less, or with an error of its own.
 */
final class SliceIndices {
    /** Masks of begins, ellipses, ends, new axes, and axes of one element; begins, ends and steps follow. */
    private static final int MASKS = 5;

    private SliceIndices() {}

    /**
     * Refuses places outside.
     *
     * @param op any op
     * @param inputs its inputs
     * @param names says what is sliced
     * @throws InvalidInputException if there is no such element
     */
    static void check(DifferentialFunction op, INDArray[] inputs, IndexNames names) {
        if (!op.opName().equals("strided_slice") || !(op instanceof CustomOp custom)) {
            return;
        }
        long[] arguments = custom.iArgs();
        if (inputs.length == 1 && arguments.length >= MASKS && arguments[1] == 0 && arguments[3] == 0) {
            // before the bounds: a place that does not exist is named, not the empty slice that it gives
            checkPlaces(op, arguments, inputs[0], names);
        }
        SliceBounds.check(arguments, inputs, names);
    }

    private static void checkPlaces(DifferentialFunction op, long[] arguments, INDArray x, IndexNames names) {
        boolean marked = IndexSlice.isOne(op);
        int count = Math.min(x.rank(), (arguments.length - MASKS) / 3);
        for (int axis = 0; axis < count; axis++) {
            long begin = arguments[MASKS + axis];
            boolean single = (arguments[4] >> axis & 1) != 0;
            if (single || (marked && begin != 0)) {
                require(begin, axis, x.size(axis), names);
            }
            if (marked && (arguments[2] >> axis & 1) == 0) {
                require(arguments[MASKS + count + axis] - 1, axis, x.size(axis), names);
            }
        }
    }

    private static void require(long index, int axis, long size, IndexNames names) {
        if (index >= size || index < -size) {
            throw new InvalidInputException("the index for axis " + axis + " of " + names.source(0) + " is " + index
                    + ", allowed is " + -size + " to " + (size - 1) + " (" + names.op() + ")");
        }
    }
}
