package dev.samediff.importer.onnx;

import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What operators of shapes and places make of a weight; null where their whole numbers are not known.
 *
 * @param wholes the whole numbers of a value, null if they are not known
 */
record WeightCuts(Wholes wholes) {
    /** Gives whole numbers. */
    @FunctionalInterface
    interface Wholes {
        @Nullable
        HostTensor apply(String value);
    }

    WeightPart transposed(OnnxNode node, WeightPart x) {
        long[] order = node.integers("perm");
        int rank = x.shape().length;
        return x.permuted(
                order == null
                        ? IntStream.range(0, rank).mapToLong(i -> rank - 1 - i).toArray()
                        : order);
    }

    /** Zero takes the size of the axis over, unless allowzero says otherwise; minus one takes what is left. */
    @Nullable
    WeightPart reshaped(OnnxNode node, WeightPart x) {
        long[] wanted = numbers(node.input(1));
        if (wanted == null) {
            return null;
        }
        long[] shape = wanted.clone();
        long rest = HostTensor.length(x.shape());
        int open = -1;
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] == 0 && node.integer("allowzero", 0) == 0) {
                shape[i] = x.shape()[i];
            }
            if (shape[i] < 0) {
                open = i;
            } else {
                rest /= Math.max(1, shape[i]);
            }
        }
        if (open >= 0) {
            shape[open] = rest;
        }
        return HostTensor.length(shape) == HostTensor.length(x.shape()) ? x.reshaped(shape) : null;
    }

    @Nullable
    WeightPart withAxes(OnnxNode node, WeightPart x) {
        if (node.operator().equals("Flatten")) {
            int axis = (int) node.integer("axis", 1);
            long rows = HostTensor.length(Arrays.copyOf(x.shape(), axis < 0 ? axis + x.shape().length : axis));
            return x.reshaped(rows, HostTensor.length(x.shape()) / Math.max(1, rows));
        }
        long[] given = node.has("axes") ? node.integers("axes") : numbers(node.input(1));
        boolean squeeze = node.operator().equals("Squeeze");
        if (given == null && (!squeeze || node.inputs().size() > 1)) {
            return null;
        }
        List<Long> shape = new ArrayList<>();
        if (squeeze) {
            int[] axes = given == null ? new int[0] : x.axes(node, given);
            for (int i = 0; i < x.shape().length; i++) {
                int axis = i;
                boolean named = Arrays.stream(axes).anyMatch(each -> each == axis);
                if (!(given == null ? x.shape()[i] == 1 : named)) {
                    shape.add(x.shape()[i]);
                }
            }
        } else if (given == null) {
            return null;
        } else {
            int rank = x.shape().length + given.length;
            long[] places = Arrays.stream(given).map(a -> a < 0 ? a + rank : a).toArray();
            int next = 0;
            for (int i = 0; i < rank; i++) {
                int axis = i;
                shape.add(Arrays.stream(places).anyMatch(each -> each == axis) ? 1L : x.shape()[next++]);
            }
        }
        long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
        return HostTensor.length(sizes) == HostTensor.length(x.shape()) ? x.reshaped(sizes) : null;
    }

    @Nullable
    WeightPart sliced(OnnxNode node, WeightPart x) {
        long[] starts = node.has("starts") ? node.integers("starts") : numbers(node.input(1));
        long[] ends = node.has("ends") ? node.integers("ends") : numbers(node.input(2));
        if (starts == null || ends == null || starts.length != ends.length) {
            return null;
        }
        long[] axes =
                node.has("axes") ? node.integers("axes") : node.input(3).isEmpty() ? null : numbers(node.input(3));
        long[] steps = node.input(4).isEmpty() ? null : numbers(node.input(4));
        if ((axes == null && !node.input(3).isEmpty())
                || (steps == null && !node.input(4).isEmpty())) {
            return null;
        }
        int[] along = x.axes(
                node,
                axes == null ? IntStream.range(0, starts.length).asLongStream().toArray() : axes);
        WeightPart result = x;
        for (int i = 0; i < along.length; i++) {
            long size = x.shape()[along[i]];
            long step = steps == null ? 1 : steps[i];
            long start = Math.min(size, Math.max(0, starts[i] < 0 ? starts[i] + size : starts[i]));
            long end = Math.min(size, Math.max(0, ends[i] < 0 ? ends[i] + size : ends[i]));
            if (step < 1 || start >= end) {
                return null;
            }
            result = result.cut(along[i], start, end, step);
        }
        return result;
    }

    @Nullable
    WeightPart split(OnnxNode node, WeightPart x, int output) {
        int axis = x.axes(node, new long[] {node.integer("axis", 0)})[0];
        long[] sizes =
                node.has("split") ? node.integers("split") : node.input(1).isEmpty() ? null : numbers(node.input(1));
        int count = node.outputs().size();
        if (sizes == null && !node.input(1).isEmpty()) {
            return null;
        }
        long each = (x.shape()[axis] + count - 1) / count;
        long start = sizes == null
                ? each * output
                : Arrays.stream(sizes).limit(output).sum();
        long end = sizes == null ? start + each : start + sizes[output];
        return start < end && end <= x.shape()[axis] ? x.cut(axis, start, end, 1) : null;
    }

    /** One element of an axis. */
    @Nullable
    WeightPart picked(OnnxNode node, WeightPart x) {
        HostTensor place = wholes.apply(node.input(1));
        if (place == null || place.isSymbolic() || place.length() != 1 || place.rank() > 1) {
            return null;
        }
        int axis = x.axes(node, new long[] {node.integer("axis", 0)})[0];
        long size = x.shape()[axis];
        long index = place.asLong(0) < 0 ? place.asLong(0) + size : place.asLong(0);
        if (index < 0 || index >= size) {
            return null;
        }
        WeightPart one = x.cut(axis, index, index + 1, 1);
        long[] without = IntStream.range(0, x.shape().length)
                .filter(i -> i != axis)
                .mapToLong(i -> x.shape()[i])
                .toArray();
        return place.rank() == 1 ? one : one.reshaped(without);
    }

    @Nullable
    WeightPart reduced(OnnxNode node, WeightPart x, UnaryOperator<INDArray> ofMatrix) {
        long[] given = node.has("axes") ? node.integers("axes") : numbers(node.input(1));
        return given == null ? null : x.reduced(x.axes(node, given), node.integer("keepdims", 1) == 1, ofMatrix);
    }

    private long @Nullable [] numbers(String value) {
        HostTensor tensor = wholes.apply(value);
        return tensor == null || tensor.isSymbolic() || tensor.isFloating() ? null : tensor.asLongs();
    }
}
