package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Strided slices that ND4J 1.0.0-M2.1 executes by writing outside of their result: those without elements (of an axis of size one, or
 * beside one), and those by arrays whose
 * end counts from the end of the axis, which it takes for one element less, or whose step is not one.
 */
final class SliceBounds {
    /** Masks of begins, ellipses, ends, new axes, and axes of one element; begins, ends and steps follow, or are arrays. */
    private static final int MASKS = 5;

    private final long[] arguments;
    private final long[][] bounds;
    private final IndexNames names;

    private SliceBounds(long[] arguments, long[][] bounds, IndexNames names) {
        this.arguments = arguments;
        this.bounds = bounds;
        this.names = names;
    }

    /**
     * Refuses such slices.
     *
     * @param arguments the op's whole-number arguments
     * @param inputs what is sliced; begins, ends and steps if they are arrays
     * @param names says what is sliced
     * @throws InvalidInputException if it is one
     */
    static void check(long[] arguments, INDArray[] inputs, IndexNames names) {
        if (arguments.length < MASKS || inputs[0].isEmpty()) {
            return;
        }
        int count = (arguments.length - MASKS) / 3;
        boolean byArrays = inputs.length >= 3;
        long[][] bounds = new long[3][];
        for (int part = 0; part < 3; part++) {
            if (!byArrays) {
                bounds[part] = new long[count];
                System.arraycopy(arguments, MASKS + part * count, bounds[part], 0, count);
            } else if (part + 1 < inputs.length) {
                bounds[part] = inputs[part + 1].isEmpty() ? new long[0] : inputs[part + 1].toLongVector();
            } else {
                bounds[part] = new long[bounds[0].length];
                Arrays.fill(bounds[part], 1);
            }
        }
        new SliceBounds(arguments, bounds, names).check(inputs[0], byArrays);
    }

    private boolean isSet(int mask, int part) {
        return (arguments[mask] >> part & 1) != 0;
    }

    private void check(INDArray x, boolean byArrays) {
        int axis = 0;
        for (int part = 0; part < bounds[0].length && axis < x.rank(); part++) {
            if (isSet(1, part)) {
                axis = x.rank() - axesBehind(part);
            } else if (!isSet(3, part)) {
                if (!isSet(4, part)) {
                    check(part, axis, x.size(axis), byArrays);
                }
                axis++;
            }
        }
    }

    /** How many axes the parts behind an ellipsis stand for. */
    private int axesBehind(int ellipsis) {
        int axes = 0;
        for (int part = ellipsis + 1; part < bounds[0].length; part++) {
            axes += isSet(3, part) ? 0 : 1;
        }
        return axes;
    }

    private void check(int part, int axis, long size, boolean byArrays) {
        long step = bounds[2][part];
        if (byArrays) {
            requireRight(part, axis);
        }
        if (step == 0) {
            return; // the op says so itself
        }
        long first = isSet(0, part) ? (step > 0 ? 0 : size - 1) : place(bounds[0][part], size, step);
        long last = isSet(2, part) ? (step > 0 ? size : -1) : place(bounds[1][part], size, step);
        if (step > 0 ? last <= first : last >= first) {
            throw new InvalidInputException("the slice of " + names.source(0) + " takes no element of axis " + axis
                    + ", which has the size " + size + " (" + names.op()
                    + "): ND4J 1.0.0-M2.1 writes outside of such results; the op `slice` can be used instead");
        }
    }

    /** In arrays only ends that count from the start and steps of one are executed as they are meant. */
    private void requireRight(int part, int axis) {
        boolean fromTheEnd = !isSet(2, part) && bounds[1][part] < 0;
        if (fromTheEnd || bounds[2][part] != 1) {
            throw new InvalidInputException(
                    "the " + (fromTheEnd ? "end" : "step") + " of the slice of " + names.source(0)
                            + " for axis " + axis + " is " + bounds[fromTheEnd ? 1 : 2][part] + ", given by an array ("
                            + names.op()
                            + "): ND4J 1.0.0-M2.1 takes other elements there and writes outside of memory; give "
                            + (fromTheEnd ? "the place counted from the start" : "begins, ends and steps as numbers"));
        }
    }

    private static long place(long bound, long size, long step) {
        long place = bound < 0 ? bound + size : bound;
        return step > 0 ? Math.max(0, Math.min(size, place)) : Math.max(-1, Math.min(size - 1, place));
    }
}
