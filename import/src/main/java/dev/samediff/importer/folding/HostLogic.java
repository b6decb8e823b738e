package dev.samediff.importer.folding;

import static dev.samediff.importer.folding.HostArithmetic.one;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Comparisons, logical operators, choices and casts. */
final class HostLogic {
    private HostLogic() {}

    static void register(Map<String, HostOp> operators) {
        compare(operators, "Equal", sign -> sign == 0);
        compare(operators, "Less", sign -> sign < 0);
        compare(operators, "LessOrEqual", sign -> sign <= 0);
        compare(operators, "Greater", sign -> sign > 0);
        compare(operators, "GreaterOrEqual", sign -> sign >= 0);
        logic(operators, "And", sum -> sum == 2);
        logic(operators, "Or", sum -> sum > 0);
        logic(operators, "Xor", sum -> sum == 1);
        operators.put("Not", (node, in, opset) -> one(not(in.get(0))));
        operators.put("Where", (node, in, opset) -> one(where(in)));
        operators.put("NonZero", (node, in, opset) -> one(nonZero(in.get(0))));
        operators.put("Cast", (node, in, opset) -> one(cast(in.get(0), (int) node.integer("to", 0))));
    }

    private interface Verdict {
        boolean of(int sign);
    }

    private static void compare(Map<String, HostOp> operators, String name, Verdict verdict) {
        operators.put(name, (node, in, opset) -> one(compare(verdict, in.get(0), in.get(1))));
    }

    private static @Nullable HostTensor compare(Verdict verdict, @Nullable HostTensor a, @Nullable HostTensor b) {
        long[] shape = common(a, b);
        if (shape == null || a == null || b == null) {
            return null;
        }
        int[] left = Indices.broadcast(a.shape(), shape);
        int[] right = Indices.broadcast(b.shape(), shape);
        long[] values = new long[left.length];
        for (int i = 0; i < values.length; i++) {
            boolean result;
            if (a.isFloating()) {
                double difference = a.asDouble(left[i]) - b.asDouble(right[i]);
                result = a.asDouble(left[i]) == b.asDouble(right[i])
                        ? verdict.of(0)
                        : !Double.isNaN(difference) && verdict.of(difference < 0 ? -1 : 1);
            } else {
                Integer sign = a.isSymbolic() || b.isSymbolic()
                        ? sign(a.dim(left[i]), b.dim(right[i]))
                        : Integer.valueOf(Long.compare(a.asLong(left[i]), b.asLong(right[i])));
                if (sign == null) {
                    sign = orEqual(verdict, a.dim(left[i]), b.dim(right[i]));
                }
                if (sign == null) {
                    return null;
                }
                result = verdict.of(sign);
            }
            values[i] = result ? 1 : 0;
        }
        return HostTensor.of(DataType.BOOL, shape, values);
    }

    /** -1, 0 or 1 if a is surely smaller than, equal to or larger than b; null if that depends on unknown sizes. */
    private static @Nullable Integer sign(Dim a, Dim b) {
        Dim difference = a.minus(b);
        if (difference.isKnown()) {
            return Long.signum(difference.known());
        }
        if (difference.isPositive()) {
            return 1;
        }
        return b.minus(a).isPositive() ? Integer.valueOf(-1) : null;
    }

    /** What decides comparisons that do not tell equal from smaller, or from larger. */
    private static @Nullable Integer orEqual(Verdict verdict, Dim a, Dim b) {
        if (verdict.of(0) == verdict.of(1) && a.minus(b).isNonNegative()) {
            return 1;
        }
        return verdict.of(0) == verdict.of(-1) && b.minus(a).isNonNegative() ? Integer.valueOf(-1) : null;
    }

    private static void logic(Map<String, HostOp> operators, String name, LongPredicate verdict) {
        operators.put(name, (node, in, opset) -> {
            HostTensor a = in.get(0);
            HostTensor b = in.get(1);
            long[] shape = common(a, b);
            if (shape == null || a == null || b == null) {
                return null;
            }
            int[] left = Indices.broadcast(a.shape(), shape);
            int[] right = Indices.broadcast(b.shape(), shape);
            long[] values = new long[left.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = verdict.test(a.asLong(left[i]) + b.asLong(right[i])) ? 1 : 0;
            }
            return List.of(HostTensor.of(DataType.BOOL, shape, values));
        });
    }

    private static long @Nullable [] common(@Nullable HostTensor a, @Nullable HostTensor b) {
        if (a == null || b == null) {
            return null;
        }
        long[] shape = Indices.common(a.shape(), b.shape());
        return shape == null || HostTensor.length(shape) > HostTensor.LIMIT ? null : shape;
    }

    private static @Nullable HostTensor not(@Nullable HostTensor a) {
        if (a == null) {
            return null;
        }
        long[] values = a.asLongs();
        for (int i = 0; i < values.length; i++) {
            values[i] = 1 - values[i];
        }
        return HostTensor.of(DataType.BOOL, a.shape(), values);
    }

    /** The places of what is not zero, [axes, how many], in row-major order. */
    private static @Nullable HostTensor nonZero(@Nullable HostTensor a) {
        if (a == null || a.isSymbolic()) {
            return null;
        }
        int[] found = IntStream.range(0, a.length())
                .filter(i -> a.asDouble(i) != 0)
                .toArray();
        long[] strides = Indices.strides(a.shape());
        long[] places = new long[a.rank() * found.length];
        for (int i = 0; i < places.length; i++) {
            int axis = i / found.length;
            places[i] = found[i % found.length] / strides[axis] % a.shape()[axis];
        }
        return HostTensor.of(DataType.LONG, new long[] {a.rank(), found.length}, places);
    }

    private static @Nullable HostTensor where(List<@Nullable HostTensor> in) {
        HostTensor condition = in.get(0);
        HostTensor yes = in.get(1);
        HostTensor no = in.get(2);
        long[] both = common(yes, no);
        if (condition == null || yes == null || no == null || both == null) {
            return null;
        }
        long[] shape = Indices.common(condition.shape(), both);
        if (shape == null || HostTensor.length(shape) > HostTensor.LIMIT) {
            return null;
        }
        int[] choice = Indices.broadcast(condition.shape(), shape);
        int[] left = Indices.broadcast(yes.shape(), shape);
        int[] right = Indices.broadcast(no.shape(), shape);
        if (!yes.isFloating() && !yes.isSymbolic() && !no.isSymbolic()) {
            long[] values = new long[choice.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = condition.asLong(choice[i]) != 0 ? yes.asLong(left[i]) : no.asLong(right[i]);
            }
            return HostTensor.of(yes.type(), shape, values);
        }
        if (yes.isFloating()) {
            double[] values = new double[choice.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = condition.asLong(choice[i]) != 0 ? yes.asDouble(left[i]) : no.asDouble(right[i]);
            }
            return HostTensor.of(yes.type(), shape, values);
        }
        Dim[] values = new Dim[choice.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = condition.asLong(choice[i]) != 0 ? yes.dim(left[i]) : no.dim(right[i]);
        }
        return HostTensor.of(yes.type(), shape, values);
    }

    /** Sizes fit into an INT; numbers that are computed may not. */
    private static boolean isOfSizes(Dim dim) {
        return dim.terms().keySet().stream()
                .flatMap(List::stream)
                .noneMatch(symbol -> symbol.charAt(0) == Dim.ANY_SIGN);
    }

    private static @Nullable HostTensor cast(@Nullable HostTensor a, int elementType) {
        if (a == null) {
            return null;
        }
        DataType type = OnnxTypes.exact(elementType, "a Cast");
        if (a.isSymbolic()) {
            boolean held = type == a.type()
                    || type == DataType.LONG
                    || type == DataType.INT && a.asDims().stream().allMatch(HostLogic::isOfSizes);
            return held ? HostTensor.of(type, a.shape(), a.asDims().toArray(new Dim[0])) : null;
        }
        if (type.isFPType()) {
            return HostTensor.of(type, a.shape(), a.asDoubles());
        }
        if (a.isFloating()) {
            return HostTensor.of(
                    type,
                    a.shape(),
                    Arrays.stream(a.asDoubles())
                            .mapToLong(v -> HostTensor.whole(type, v))
                            .toArray());
        }
        return HostTensor.of(type, a.shape(), a.asLongs());
    }
}
