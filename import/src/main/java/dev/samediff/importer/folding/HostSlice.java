package dev.samediff.importer.folding;

import static dev.samediff.importer.folding.HostMovement.need;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Slice, in its attribute form (before operator set 10) and its input form. */
final class HostSlice {
    private HostSlice() {}

    static @Nullable HostTensor slice(OnnxNode node, List<@Nullable HostTensor> in) {
        HostTensor data = need(in, 0);
        long[] starts = bounds(node, "starts", in, 1);
        long[] ends = bounds(node, "ends", in, 2);
        long[] axes = Axes.of(node, in, 3);
        HostTensor steps = in.size() > 4 ? in.get(4) : null;
        if (starts == null || ends == null) {
            return null;
        }
        long[] shape = data.shape();
        long[] strides = Indices.strides(shape);
        long offset = 0;
        for (int i = 0; i < starts.length; i++) {
            int axis = Axes.normalise(node, axes == null ? i : axes[i], data.rank());
            long step = steps == null ? 1 : steps.asLong(i);
            long size = data.shape()[axis];
            long start = clamp(starts[i], size, step < 0 ? size - 1 : size);
            long end = ends[i] < -size ? (step < 0 ? -1 : 0) : clamp(ends[i], size, size);
            offset += start * strides[axis];
            shape[axis] = Math.max(0, step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step);
            strides[axis] *= step;
        }
        return data.select(shape, Indices.walk(shape, offset, strides));
    }

    private static long clamp(long bound, long size, long most) {
        return Math.max(0, Math.min(bound < 0 ? bound + size : bound, most));
    }

    private static long @Nullable [] bounds(OnnxNode node, String attribute, List<@Nullable HostTensor> in, int index) {
        long[] given = node.integers(attribute);
        if (given != null) {
            return given;
        }
        HostTensor input = index < in.size() ? in.get(index) : null;
        return input == null || input.isSymbolic() ? null : input.asLongs();
    }
}
