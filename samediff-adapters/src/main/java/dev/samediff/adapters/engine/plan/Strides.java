package dev.samediff.adapters.engine.plan;

import org.jspecify.annotations.Nullable;

/** How strides follow a tensor through views. */
final class Strides {
    private Strides() {}

    /**
     * Returns the strides with which the elements of a tensor, in row-major order, are seen in another shape, or null if
     * they would have to be moved.
     */
    static long @Nullable [] reshape(long[] shape, long[] strides, long[] newShape) {
        long[] result = new long[newShape.length];
        int from = 0;
        int to = 0;
        while (from < shape.length || to < newShape.length) {
            int fromEnd = from;
            int toEnd = to;
            long before = fromEnd < shape.length ? shape[fromEnd++] : 1;
            long after = toEnd < newShape.length ? newShape[toEnd++] : 1;
            while (before != after) {
                if (before < after) {
                    before *= shape[fromEnd++];
                } else {
                    after *= newShape[toEnd++];
                }
            }
            if (!group(shape, strides, from, fromEnd, newShape, result, to, toEnd)) {
                return null;
            }
            from = fromEnd;
            to = toEnd;
        }
        return result;
    }

    /** Maps axes that hold the same elements on both sides. */
    private static boolean group(
            long[] shape, long[] strides, int from, int fromEnd, long[] newShape, long[] result, int to, int toEnd) {
        long unit = 1;
        long expected = -1;
        for (int i = fromEnd - 1; i >= from; i--) {
            if (shape[i] == 1) {
                continue;
            }
            if (expected < 0) {
                unit = strides[i];
            } else if (strides[i] != expected) {
                return false;
            }
            expected = strides[i] * shape[i];
        }
        long stride = unit;
        for (int i = toEnd - 1; i >= to; i--) {
            result[i] = stride;
            stride *= newShape[i];
        }
        return true;
    }

    /** Returns strides in which broadcast axes have none. */
    static long[] expand(long[] shape, long[] strides, long[] newShape) {
        long[] result = strides.clone();
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] != newShape[i]) {
                result[i] = 0;
            }
        }
        return result;
    }

    /** Tells whether a tensor lies in row-major order without holes. */
    static boolean dense(long[] shape, long[] strides) {
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] != 1 && strides[i] != stride) {
                return false;
            }
            stride *= shape[i];
        }
        return true;
    }
}
