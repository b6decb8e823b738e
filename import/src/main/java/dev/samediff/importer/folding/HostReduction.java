package dev.samediff.importer.folding;

import static dev.samediff.importer.folding.HostArithmetic.one;
import static dev.samediff.importer.folding.HostMovement.need;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/** Reductions of shape vectors (to one number) and of small known tensors along axes. */
final class HostReduction {
    private HostReduction() {}

    static void register(Map<String, HostOp> operators) {
        Form product = new Form((a, b) -> a * b, (a, b) -> a * b, Dim::times);
        Form sum = new Form(Double::sum, Long::sum, Dim::plus);
        operators.put("ReduceProd", (node, in, opset) -> one(reduce(node, in, product)));
        operators.put("ReduceSum", (node, in, opset) -> one(reduce(node, in, sum)));
        operators.put("ReduceMax", (node, in, opset) -> one(reduce(node, in, new Form(Math::max, Math::max, null))));
        operators.put("ReduceMin", (node, in, opset) -> one(reduce(node, in, new Form(Math::min, Math::min, null))));
    }

    /** What joins two elements: real numbers, whole ones, sizes. */
    private record Form(DoubleBinaryOperator real, LongBinaryOperator whole, @Nullable BinaryOperator<Dim> size) {}

    private static @Nullable HostTensor reduce(OnnxNode node, List<@Nullable HostTensor> in, Form form) {
        HostTensor a = need(in, 0);
        long[] axes = Axes.of(node, in, 1);
        if (a.length() == 0 || (axes == null && node.integer("noop_with_empty_axes", 0) == 1)) {
            return null;
        }
        if (a.isSymbolic()) {
            return a.rank() != 1 || form.size() == null ? null : vector(node, a, form.size());
        }
        boolean[] reduced = new boolean[a.rank()];
        if (axes == null || axes.length == 0) {
            Arrays.fill(reduced, true);
        } else {
            for (int axis : Axes.normalise(node, axes, a.rank())) {
                reduced[axis] = true;
            }
        }
        return along(a, reduced, node.integer("keepdims", 1) == 1, form);
    }

    private static HostTensor vector(OnnxNode node, HostTensor a, BinaryOperator<Dim> size) {
        Dim result = a.asDims().stream().reduce(size).orElseThrow();
        long[] shape = node.integer("keepdims", 1) == 1 ? new long[] {1} : new long[0];
        return HostTensor.of(a.type(), shape, new Dim[] {result});
    }

    private static HostTensor along(HostTensor a, boolean[] reduced, boolean keep, Form form) {
        long[] kept = a.shape();
        List<Long> left = new ArrayList<>();
        for (int axis = 0; axis < kept.length; axis++) {
            kept[axis] = reduced[axis] ? 1 : kept[axis];
            if (keep || !reduced[axis]) {
                left.add(kept[axis]);
            }
        }
        int[] target = Indices.broadcast(kept, a.shape());
        int length = (int) HostTensor.length(kept);
        long[] shape = left.stream().mapToLong(Long::longValue).toArray();
        return a.isFloating()
                ? HostTensor.of(a.type(), shape, reals(a.asDoubles(), target, length, form.real()))
                : HostTensor.of(a.type(), shape, wholes(a.asLongs(), target, length, form.whole()));
    }

    private static double[] reals(double[] from, int[] target, int length, DoubleBinaryOperator form) {
        double[] values = new double[length];
        boolean[] seen = new boolean[length];
        for (int i = 0; i < target.length; i++) {
            int to = target[i];
            values[to] = seen[to] ? form.applyAsDouble(values[to], from[i]) : from[i];
            seen[to] = true;
        }
        return values;
    }

    private static long[] wholes(long[] from, int[] target, int length, LongBinaryOperator form) {
        long[] values = new long[length];
        boolean[] seen = new boolean[length];
        for (int i = 0; i < target.length; i++) {
            int to = target[i];
            values[to] = seen[to] ? form.applyAsLong(values[to], from[i]) : from[i];
            seen[to] = true;
        }
        return values;
    }
}
