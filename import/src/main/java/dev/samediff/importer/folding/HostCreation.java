package dev.samediff.importer.folding;

import static dev.samediff.importer.folding.HostArithmetic.one;
import static dev.samediff.importer.folding.HostMovement.need;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Operators that make tensors out of numbers: constants, ranges, triangles. */
final class HostCreation {
    private HostCreation() {}

    static void register(Map<String, HostOp> operators) {
        operators.put("Constant", (node, in, opset) -> one(constant(node)));
        operators.put("ConstantOfShape", (node, in, opset) -> one(constantOfShape(node, need(in, 0))));
        operators.put("Range", (node, in, opset) -> one(range(need(in, 0), need(in, 1), need(in, 2))));
        operators.put("Trilu", (node, in, opset) -> one(triangle(node, in)));
    }

    private static @Nullable HostTensor constant(OnnxNode node) {
        long[] none = new long[0];
        if (node.has("value_int")) {
            return HostTensor.of(DataType.LONG, none, new long[] {node.integer("value_int", 0)});
        }
        if (node.has("value_float")) {
            return HostTensor.of(DataType.FLOAT, none, new double[] {node.real("value_float", 0)});
        }
        long[] integers = node.integers("value_ints");
        if (integers != null) {
            return HostTensor.vector(integers);
        }
        double[] reals = node.reals("value_floats");
        return reals == null ? null : HostTensor.of(DataType.FLOAT, new long[] {reals.length}, reals);
    }

    private static @Nullable HostTensor constantOfShape(OnnxNode node, HostTensor shape) {
        long length = shape.isSymbolic() ? -1 : HostTensor.length(shape.asLongs());
        if (length < 0 || length > HostTensor.LIMIT) {
            return null;
        }
        return Fill.of(node).select(shape.asLongs(), new int[(int) length]);
    }

    private static @Nullable HostTensor range(HostTensor start, HostTensor limit, HostTensor delta) {
        if (start.isSymbolic() || limit.isSymbolic() || delta.isSymbolic() || delta.asDouble(0) == 0) {
            return null;
        }
        double steps = start.isFloating()
                ? Math.ceil((limit.asDouble(0) - start.asDouble(0)) / delta.asDouble(0))
                : steps(start.asLong(0), limit.asLong(0), delta.asLong(0));
        if (!(steps <= HostTensor.LIMIT)) {
            return null;
        }
        int length = (int) Math.max(0, steps);
        if (start.isFloating()) {
            double[] values = new double[length];
            for (int i = 0; i < length; i++) {
                values[i] = start.asDouble(0) + i * delta.asDouble(0);
            }
            return HostTensor.of(start.type(), new long[] {length}, values);
        }
        long[] values = new long[length];
        for (int i = 0; i < length; i++) {
            values[i] = start.asLong(0) + i * delta.asLong(0);
        }
        return HostTensor.of(start.type(), new long[] {length}, values);
    }

    /** How many numbers there are before the limit; a few too many to count are as good as many. */
    private static double steps(long start, long limit, long delta) {
        double far = (double) limit - start;
        return Math.abs(far) > 0x1p62
                ? Math.ceil(far / delta)
                : -Math.floorDiv(start - limit, delta);
    }

    private static @Nullable HostTensor triangle(OnnxNode node, List<@Nullable HostTensor> in) {
        HostTensor a = need(in, 0);
        HostTensor diagonal = in.size() > 1 ? in.get(1) : null;
        if (a.isSymbolic() || (diagonal != null && diagonal.isSymbolic())) {
            return null;
        }
        long k = diagonal == null ? 0 : diagonal.asLong(0);
        boolean upper = node.integer("upper", 1) == 1;
        long columns = a.shape()[a.rank() - 1];
        long rows = a.shape()[a.rank() - 2];
        IntPredicate kept = i -> {
            long distance = i % columns - i / columns % rows - k;
            return upper ? distance >= 0 : distance <= 0;
        };
        if (a.isFloating()) {
            double[] values = new double[a.length()];
            Arrays.setAll(values, i -> kept.test(i) ? a.asDouble(i) : 0);
            return HostTensor.of(a.type(), a.shape(), values);
        }
        long[] values = new long[a.length()];
        Arrays.setAll(values, i -> kept.test(i) ? a.asLong(i) : 0);
        return HostTensor.of(a.type(), a.shape(), values);
    }
}
