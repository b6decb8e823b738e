package dev.samediff.adapters.engine.program;

import java.util.Arrays;

/** Arithmetic with shapes and row-major strides. */
public final class Shapes {
    private Shapes() {}

    /** Returns the number of elements. */
    public static long length(long... shape) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        return length;
    }

    /** Returns the strides of a dense row-major tensor. */
    public static long[] dense(long... shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    /**
     * Returns the shape of an element-wise result of two tensors, by NumPy's rules.
     *
     * @throws IllegalArgumentException if the shapes do not fit
     */
    public static long[] broadcast(long[] a, long[] b) {
        int rank = Math.max(a.length, b.length);
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            long left = at(a, i - rank + a.length);
            long right = at(b, i - rank + b.length);
            if (left != right && left != 1 && right != 1) {
                throw new IllegalArgumentException(
                        "the shapes " + Arrays.toString(a) + " and " + Arrays.toString(b) + " do not broadcast");
            }
            shape[i] = left == 1 ? right : left;
        }
        return shape;
    }

    /** Returns a shape with ones in front, so that it has this many axes. */
    public static long[] withRank(int rank, long... shape) {
        long[] result = new long[rank];
        Arrays.fill(result, 1);
        System.arraycopy(shape, 0, result, rank - shape.length, shape.length);
        return result;
    }

    /** Returns a permuted copy. */
    public static long[] permute(long[] values, int... axes) {
        long[] result = new long[axes.length];
        for (int i = 0; i < axes.length; i++) {
            result[i] = values[axes[i]];
        }
        return result;
    }

    /** Returns a copy with one value replaced. */
    public static long[] with(long[] values, int index, long value) {
        long[] result = values.clone();
        result[index] = value;
        return result;
    }

    private static long at(long[] shape, int index) {
        return index < 0 ? 1 : shape[index];
    }
}
