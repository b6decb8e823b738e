package dev.samediff.importer.folding;

import static dev.samediff.importer.folding.HostArithmetic.one;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Operators that move elements without changing them: reshaping, slicing, gathering, joining. */
final class HostMovement {
    private HostMovement() {}

    static void register(Map<String, HostOp> operators) {
        operators.put("Identity", (node, in, opset) -> one(in.get(0)));
        operators.put("Reshape", (node, in, opset) -> one(reshape(node, need(in, 0), need(in, 1))));
        operators.put("Unsqueeze", (node, in, opset) -> one(unsqueeze(node, need(in, 0), in)));
        operators.put("Squeeze", (node, in, opset) -> one(squeeze(node, need(in, 0), in)));
        operators.put("Flatten", (node, in, opset) -> one(flatten(node, need(in, 0))));
        operators.put("Transpose", (node, in, opset) -> one(transpose(node, need(in, 0))));
        operators.put("Gather", (node, in, opset) -> one(gather(node, need(in, 0), need(in, 1))));
        operators.put("Concat", (node, in, opset) -> one(concat(node, in)));
        operators.put("Slice", (node, in, opset) -> one(HostSlice.slice(node, in)));
        operators.put("Expand", (node, in, opset) -> one(expand(need(in, 0), need(in, 1))));
        operators.put("Tile", (node, in, opset) -> one(tile(need(in, 0), need(in, 1))));
    }

    static HostTensor need(List<@Nullable HostTensor> inputs, int index) {
        HostTensor input = index < inputs.size() ? inputs.get(index) : null;
        if (input == null) {
            throw new InvalidInputException("input " + index + " of a node is missing" + NotValid.ONNX);
        }
        return input;
    }

    private static @Nullable HostTensor reshape(OnnxNode node, HostTensor a, HostTensor target) {
        if (target.isSymbolic()) {
            return null;
        }
        long[] shape = target.asLongs();
        int open = -1;
        long rest = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            if (shape[axis] == 0 && node.integer("allowzero", 0) == 0) {
                shape[axis] = axis < a.rank() ? a.shape()[axis] : 1;
            }
            if (shape[axis] == -1) {
                open = axis;
            } else {
                rest *= shape[axis];
            }
        }
        if (open >= 0) {
            shape[open] = rest == 0 ? 0 : a.length() / rest;
        }
        if (HostTensor.length(shape) != a.length()) {
            throw new InvalidInputException(node + " reshapes " + Arrays.toString(a.shape()) + " to "
                    + Arrays.toString(target.asLongs()) + NotValid.ONNX);
        }
        return a.reshaped(shape);
    }

    private static @Nullable HostTensor unsqueeze(OnnxNode node, HostTensor a, List<@Nullable HostTensor> in) {
        long[] axes = Axes.of(node, in, 1);
        if (axes == null) {
            return null;
        }
        int rank = a.rank() + axes.length;
        int[] inserted = Axes.normalise(node, axes, rank);
        long[] shape = new long[rank];
        int next = 0;
        for (int axis = 0; axis < rank; axis++) {
            shape[axis] = Arrays.binarySearch(inserted, axis) >= 0 ? 1 : a.shape()[next++];
        }
        return a.reshaped(shape);
    }

    private static HostTensor squeeze(OnnxNode node, HostTensor a, List<@Nullable HostTensor> in) {
        long[] axes = Axes.of(node, in, 1);
        int[] removed = axes == null ? null : Axes.normalise(node, axes, a.rank());
        List<Long> shape = new ArrayList<>();
        for (int axis = 0; axis < a.rank(); axis++) {
            boolean remove = removed == null ? a.shape()[axis] == 1 : Arrays.binarySearch(removed, axis) >= 0;
            if (!remove) {
                shape.add(a.shape()[axis]);
            }
        }
        return a.reshaped(shape.stream().mapToLong(Long::longValue).toArray());
    }

    private static HostTensor flatten(OnnxNode node, HostTensor a) {
        int axis = (int) node.integer("axis", 1);
        int split = axis < 0 ? axis + a.rank() : axis;
        long rows = HostTensor.length(Arrays.copyOf(a.shape(), split));
        return a.reshaped(rows, rows == 0 ? 0 : a.length() / rows);
    }

    private static HostTensor transpose(OnnxNode node, HostTensor a) {
        long[] order = node.integers("perm");
        long[] strides = Indices.strides(a.shape());
        long[] shape = new long[a.rank()];
        long[] walked = new long[a.rank()];
        for (int axis = 0; axis < shape.length; axis++) {
            int from = order == null ? a.rank() - 1 - axis : Axes.normalise(node, order[axis], a.rank());
            shape[axis] = a.shape()[from];
            walked[axis] = strides[from];
        }
        return a.select(shape, Indices.walk(shape, 0, walked));
    }

    private static @Nullable HostTensor gather(OnnxNode node, HostTensor data, HostTensor indices) {
        int axis = Axes.normalise(node, node.integer("axis", 0), data.rank());
        if (indices.isSymbolic() || data.length() == 0) {
            return null;
        }
        long size = data.shape()[axis];
        long inner = Indices.strides(data.shape())[axis];
        long outer = data.length() / (size * inner);
        long[] shape = joined(data.shape(), axis, indices.shape());
        long length = HostTensor.length(shape);
        if (length < 0 || length > HostTensor.LIMIT) {
            return null;
        }
        int[] source = new int[(int) length];
        int next = 0;
        for (long o = 0; o < outer; o++) {
            for (int i = 0; i < indices.length(); i++) {
                long index = indices.asLong(i) < 0 ? indices.asLong(i) + size : indices.asLong(i);
                if (index < 0 || index >= size) {
                    throw new InvalidInputException(
                            node + " reads element " + indices.asLong(i) + " of an axis with " + size + NotValid.ONNX);
                }
                for (long k = 0; k < inner; k++) {
                    source[next++] = (int) ((o * size + index) * inner + k);
                }
            }
        }
        return data.select(shape, source);
    }

    private static long[] joined(long[] data, int axis, long[] indices) {
        long[] shape = new long[data.length - 1 + indices.length];
        System.arraycopy(data, 0, shape, 0, axis);
        System.arraycopy(indices, 0, shape, axis, indices.length);
        System.arraycopy(data, axis + 1, shape, axis + indices.length, data.length - axis - 1);
        return shape;
    }

    private static @Nullable HostTensor concat(OnnxNode node, List<@Nullable HostTensor> in) {
        HostTensor first = need(in, 0);
        int axis = Axes.normalise(node, node.integer("axis", 0), first.rank());
        long[] shape = first.shape();
        shape[axis] = 0;
        for (int i = 0; i < in.size(); i++) {
            shape[axis] += need(in, i).shape()[axis];
        }
        if (HostTensor.length(shape) > HostTensor.LIMIT) {
            return null;
        }
        List<HostTensor> parts =
                in.stream().map(part -> Objects.requireNonNull(part)).toList();
        return first.isFloating() ? reals(parts, shape, axis) : sizes(parts, shape, axis);
    }

    private static HostTensor reals(List<HostTensor> parts, long[] shape, int axis) {
        double[] values = new double[(int) HostTensor.length(shape)];
        place(parts, shape, axis, (part, from, to) -> values[to] = part.asDouble(from));
        return HostTensor.of(parts.get(0).type(), shape, values);
    }

    private static HostTensor sizes(List<HostTensor> parts, long[] shape, int axis) {
        if (parts.stream().noneMatch(HostTensor::isSymbolic)) {
            long[] values = new long[(int) HostTensor.length(shape)];
            place(parts, shape, axis, (part, from, to) -> values[to] = part.asLong(from));
            return HostTensor.of(parts.get(0).type(), shape, values);
        }
        Dim[] values = new Dim[(int) HostTensor.length(shape)];
        place(parts, shape, axis, (part, from, to) -> values[to] = part.dim(from));
        return HostTensor.of(parts.get(0).type(), shape, values);
    }

    private interface Place {
        void copy(HostTensor part, int from, int to);
    }

    private static void place(List<HostTensor> parts, long[] shape, int axis, Place place) {
        long[] strides = Indices.strides(shape);
        long offset = 0;
        for (HostTensor part : parts) {
            int[] to = Indices.walk(part.shape(), offset * strides[axis], strides);
            for (int i = 0; i < to.length; i++) {
                place.copy(part, i, to[i]);
            }
            offset += part.shape()[axis];
        }
    }

    private static @Nullable HostTensor expand(HostTensor a, HostTensor target) {
        if (target.isSymbolic()) {
            return null;
        }
        long[] shape = Indices.common(a.shape(), target.asLongs());
        if (shape == null || HostTensor.length(shape) > HostTensor.LIMIT) {
            return null;
        }
        return a.select(shape, Indices.broadcast(a.shape(), shape));
    }

    private static @Nullable HostTensor tile(HostTensor a, HostTensor repeats) {
        if (repeats.isSymbolic()) {
            return null;
        }
        long[] shape = a.shape();
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] *= repeats.asLong(axis);
        }
        long length = HostTensor.length(shape);
        if (length < 0 || length > HostTensor.LIMIT) {
            return null;
        }
        int[] source = new int[(int) length];
        long[] own = a.shape();
        long[] strides = Indices.strides(own);
        long[] outer = Indices.strides(shape);
        for (int i = 0; i < source.length; i++) {
            long index = 0;
            for (int axis = 0; axis < shape.length; axis++) {
                index += (i / outer[axis] % shape[axis]) % own[axis] * strides[axis];
            }
            source[i] = (int) index;
        }
        return a.select(shape, source);
    }
}
