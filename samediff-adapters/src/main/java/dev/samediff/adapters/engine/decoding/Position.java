package dev.samediff.adapters.engine.decoding;

import dev.samediff.adapters.engine.program.Shapes;
import org.jspecify.annotations.Nullable;

/**
 * Where a tensor has the positions of a text: an axis of size {@code outer T inner}, such as the rows {@code B T} of a batch
 * that is seen as a matrix.
 *
 * @param axis the axis
 * @param outer what comes before the position within the axis, in row-major order
 */
record Position(int axis, long outer) {
    /**
     * Finds the position in another shape of the same elements.
     *
     * @param before elements in all axes before the position
     * @param length positions
     * @return the place, or null if the positions are spread over several axes
     */
    static @Nullable Position of(long before, long length, long... shape) {
        long prefix = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            long next = prefix * shape[axis];
            if (before % prefix == 0 && next % (before * length) == 0) {
                return new Position(axis, before / prefix);
            }
            prefix = next;
        }
        return null;
    }

    /** Returns the number of elements in all axes before the position. */
    long before(long... shape) {
        long prefix = outer;
        for (int i = 0; i < axis; i++) {
            prefix *= shape[i];
        }
        return prefix;
    }

    /** Returns the shape with one position instead of all. */
    long[] single(long length, long... shape) {
        return Shapes.with(shape, axis, shape[axis] / length);
    }
}
