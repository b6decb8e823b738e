package dev.samediff.importer.folding;

import dev.samediff.importer.tensor.HostTensor;
import org.jspecify.annotations.Nullable;

/** Row-major index arithmetic: for every element of a result, which element of the source it is. */
final class Indices {
    private Indices() {}

    /** Returns the strides of a dense row-major tensor. */
    static long[] strides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        return strides;
    }

    /**
     * Walks over all positions of {@code shape} in row-major order.
     *
     * @param offset where the walk starts in the source
     * @param strides how far one step along each axis goes in the source
     * @return source index by position
     */
    static int[] walk(long[] shape, long offset, long[] strides) {
        int[] result = new int[Math.toIntExact(HostTensor.length(shape))];
        long[] position = new long[shape.length];
        long source = offset;
        for (int i = 0; i < result.length; i++) {
            result[i] = (int) source;
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                source += strides[axis];
                if (++position[axis] < shape[axis]) {
                    break;
                }
                source -= strides[axis] * shape[axis];
                position[axis] = 0;
            }
        }
        return result;
    }

    /** Returns the source indices that broadcast {@code from} to {@code to}. */
    static int[] broadcast(long[] from, long[] to) {
        long[] own = strides(from);
        long[] strides = new long[to.length];
        int shift = to.length - from.length;
        for (int axis = 0; axis < from.length; axis++) {
            strides[axis + shift] = from[axis] == 1 ? 0 : own[axis];
        }
        return walk(to, 0, strides);
    }

    /** Returns the common shape of two by numpy's rules; null if they do not fit. */
    static long @Nullable [] common(long[] left, long[] right) {
        int rank = Math.max(left.length, right.length);
        long[] result = new long[rank];
        for (int i = 0; i < rank; i++) {
            long a = at(left, i - rank + left.length);
            long b = at(right, i - rank + right.length);
            if (a != b && a != 1 && b != 1) {
                return null;
            }
            result[i] = a == 1 ? b : a;
        }
        return result;
    }

    private static long at(long[] shape, int axis) {
        return axis < 0 ? 1 : shape[axis];
    }
}
