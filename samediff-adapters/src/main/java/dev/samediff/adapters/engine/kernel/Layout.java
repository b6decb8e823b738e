package dev.samediff.adapters.engine.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Shape and strides in elements. Strides of axes of size 1 mean nothing; stride 0 is a broadcast axis. */
final class Layout {
    private final long[] shape;
    private final long[] strides;

    Layout(long[] shape, long[] strides) {
        this.shape = shape.clone();
        this.strides = strides.clone();
    }

    static Layout dense(long... shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return new Layout(shape, strides);
    }

    long[] shape() {
        return shape;
    }

    long[] strides() {
        return strides;
    }

    int rank() {
        return shape.length;
    }

    long size(int axis) {
        return shape[axis];
    }

    long stride(int axis) {
        return strides[axis];
    }

    long length() {
        long length = 1;
        for (long n : shape) {
            length *= n;
        }
        return length;
    }

    boolean isDense() {
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] != 1 && strides[i] != stride) {
                return false;
            }
            stride *= shape[i];
        }
        return true;
    }

    /** Returns this layout with axes of size 1 in front, up to a rank. */
    Layout padded(int rank) {
        long[] s = new long[rank];
        long[] t = new long[rank];
        Arrays.fill(s, 1);
        System.arraycopy(shape, 0, s, rank - rank(), rank());
        System.arraycopy(strides, 0, t, rank - rank(), rank());
        return new Layout(s, t);
    }

    /** Returns this layout repeated along its axes of size 1 to a shape of the same rank. */
    Layout expanded(long[] target) {
        long[] t = strides.clone();
        for (int i = 0; i < t.length; i++) {
            if (shape[i] == 1 && target[i] != 1) {
                t[i] = 0;
            }
        }
        return new Layout(target, t);
    }

    /** Returns the layout with repeated axes (stride 0) cut to size 1. */
    Layout reduced() {
        long[] s = shape.clone();
        for (int i = 0; i < s.length; i++) {
            if (strides[i] == 0) {
                s[i] = 1;
            }
        }
        return new Layout(s, strides);
    }

    Layout permuted(int... axes) {
        return new Layout(
                Arrays.stream(axes).mapToLong(a -> shape[a]).toArray(),
                Arrays.stream(axes).mapToLong(a -> strides[a]).toArray());
    }

    /** Returns the part of the axes from {@code from} to before {@code to}. */
    Layout axes(int from, int to) {
        return new Layout(Arrays.copyOfRange(shape, from, to), Arrays.copyOfRange(strides, from, to));
    }

    /** Returns this layout followed by another one's axes. */
    Layout then(Layout other) {
        return new Layout(
                LongStream.concat(Arrays.stream(shape), Arrays.stream(other.shape))
                        .toArray(),
                LongStream.concat(Arrays.stream(strides), Arrays.stream(other.strides))
                        .toArray());
    }

    /**
     * Joins neighbouring axes that all layouts of one shape walk through in one go, and drops axes of size 1.
     *
     * @return layouts of the same, lowest possible, rank of at least 1
     */
    static List<Layout> collapsed(List<Layout> layouts) {
        long[] shape = layouts.get(0).shape;
        List<int[]> groups = new ArrayList<>(); // first and last axis; axes of size 1 are in none
        for (int axis = 0; axis < shape.length; axis++) {
            int a = axis;
            if (shape[axis] == 1) {
                continue;
            }
            int[] last = groups.isEmpty() ? null : groups.get(groups.size() - 1);
            if (last != null && layouts.stream().allMatch(l -> l.strides[last[1]] == l.strides[a] * shape[a])) {
                last[1] = axis;
            } else {
                groups.add(new int[] {axis, axis});
            }
        }
        return layouts.stream().map(l -> l.grouped(groups)).toList();
    }

    private Layout grouped(List<int[]> groups) {
        if (groups.isEmpty()) {
            return dense(1);
        }
        long[] s = new long[groups.size()];
        long[] t = new long[groups.size()];
        for (int i = 0; i < s.length; i++) {
            s[i] = 1;
            for (int axis = groups.get(i)[0]; axis <= groups.get(i)[1]; axis++) {
                s[i] *= shape[axis];
            }
            t[i] = strides[groups.get(i)[1]];
        }
        return new Layout(s, t);
    }

    /** Orders the axes of layouts of one shape as they lie in the memory of the first, then collapses them. */
    static List<Layout> ordered(List<Layout> layouts) {
        Layout first = layouts.get(0);
        int[] axes = IntStream.range(0, first.rank())
                .boxed()
                .sorted(Comparator.comparingLong((Integer axis) -> -first.strides[axis]))
                .mapToInt(Integer::intValue)
                .toArray();
        return collapsed(layouts.stream().map(l -> l.permuted(axes)).toList());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Layout o && Arrays.equals(shape, o.shape) && Arrays.equals(strides, o.strides);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(shape) + Arrays.hashCode(strides);
    }

    @Override
    public String toString() {
        return Arrays.toString(shape) + " strides " + Arrays.toString(strides);
    }
}
