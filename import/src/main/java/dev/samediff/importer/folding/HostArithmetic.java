package dev.samediff.importer.folding;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Element-wise arithmetic with numpy's broadcasting, on numbers and, where it is exact, on symbolic sizes. */
public final class HostArithmetic {
    private HostArithmetic() {}

    /** The forms one operator takes on the three kinds of elements; a size result of null means "cannot be told". */
    private record Binary(DoubleBinaryOperator real, LongBinaryOperator whole, BinaryOperator<@Nullable Dim> size) {}

    private static final Binary ADD = new Binary(Double::sum, Long::sum, Dim::plus);
    private static final Binary SUB = new Binary((a, b) -> a - b, (a, b) -> a - b, Dim::minus);
    private static final Binary MUL = new Binary((a, b) -> a * b, (a, b) -> a * b, Dim::times);
    private static final Binary DIV = new Binary(
            (a, b) -> a / b, (a, b) -> a / b, (a, b) -> a.dividedBy(b).orElse(null));
    private static final Binary POW = new Binary(Math::pow, HostArithmetic::power, HostArithmetic::power);
    private static final Binary MIN = new Binary(Math::min, Math::min, HostArithmetic::smaller);
    private static final Binary MAX = new Binary(Math::max, Math::max, HostArithmetic::larger);
    private static final Binary MOD = new Binary((a, b) -> a - Math.floor(a / b) * b, Math::floorMod, (a, b) -> null);
    private static final Binary FMOD = new Binary((a, b) -> a % b, (a, b) -> a % b, (a, b) -> null);

    static void register(Map<String, HostOp> operators) {
        Map.of("Add", ADD, "Sub", SUB, "Mul", MUL, "Div", DIV, "Pow", POW)
                .forEach((name, form) ->
                        operators.put(name, (node, in, opset) -> one(binary(form, in.get(0), in.get(1)))));
        operators.put(
                "Mod",
                (node, in, opset) -> one(binary(node.integer("fmod", 0) == 1 ? FMOD : MOD, in.get(0), in.get(1))));
        Map.of("Min", MIN, "Max", MAX, "Sum", ADD)
                .forEach((name, form) -> operators.put(name, (node, in, opset) -> one(chain(form, in))));
        unary(operators, "Neg", a -> -a, a -> -a);
        unary(operators, "Abs", Math::abs, Math::abs);
        unary(operators, "Sign", Math::signum, Long::signum);
        unary(operators, "Sqrt", Math::sqrt);
        unary(operators, "Reciprocal", a -> 1 / a);
        unary(operators, "Exp", Math::exp);
        unary(operators, "Log", Math::log);
        unary(operators, "Sin", Math::sin);
        unary(operators, "Cos", Math::cos);
        unary(operators, "Tanh", Math::tanh);
        unary(operators, "Floor", Math::floor);
        unary(operators, "Ceil", Math::ceil);
    }

    private static void unary(Map<String, HostOp> operators, String name, DoubleUnaryOperator real) {
        unary(operators, name, real, a -> (long) real.applyAsDouble((double) a));
    }

    private static void unary(
            Map<String, HostOp> operators, String name, DoubleUnaryOperator real, LongUnaryOperator whole) {
        operators.put(name, (node, in, opset) -> one(unary(real, whole, in.get(0))));
    }

    private static @Nullable HostTensor unary(
            DoubleUnaryOperator real, LongUnaryOperator whole, @Nullable HostTensor a) {
        if (a == null || a.isSymbolic()) {
            return null;
        }
        return a.isFloating()
                ? HostTensor.of(
                        a.type(), a.shape(), Arrays.stream(a.asDoubles()).map(real).toArray())
                : HostTensor.of(
                        a.type(), a.shape(), Arrays.stream(a.asLongs()).map(whole).toArray());
    }

    private static @Nullable HostTensor chain(Binary form, List<@Nullable HostTensor> inputs) {
        HostTensor result = inputs.get(0);
        for (int i = 1; i < inputs.size() && result != null; i++) {
            result = binary(form, result, inputs.get(i));
        }
        return result;
    }

    private static @Nullable HostTensor binary(Binary form, @Nullable HostTensor a, @Nullable HostTensor b) {
        if (a == null || b == null) {
            return null;
        }
        long[] shape = Indices.common(a.shape(), b.shape());
        if (shape == null || HostTensor.length(shape) > HostTensor.LIMIT) {
            return null;
        }
        int[] left = Indices.broadcast(a.shape(), shape);
        int[] right = Indices.broadcast(b.shape(), shape);
        if (a.isFloating() || b.isFloating()) {
            double[] values = new double[left.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = form.real().applyAsDouble(a.asDouble(left[i]), b.asDouble(right[i]));
            }
            return a.isFloating() ? HostTensor.of(a.type(), shape, values) : cut(a.type(), shape, values);
        }
        return a.isSymbolic() || b.isSymbolic()
                ? sizes(form, a, b, shape, left, right)
                : whole(form, a, b, shape, left, right);
    }

    private static @Nullable HostTensor whole(
            Binary form, HostTensor a, HostTensor b, long[] shape, int[] left, int[] right) {
        long[] values = new long[left.length];
        try {
            for (int i = 0; i < values.length; i++) {
                values[i] = form.whole().applyAsLong(a.asLong(left[i]), b.asLong(right[i]));
            }
        } catch (ArithmeticException divisionByZero) {
            return null;
        }
        return HostTensor.of(a.type(), shape, values);
    }

    private static @Nullable HostTensor sizes(
            Binary form, HostTensor a, HostTensor b, long[] shape, int[] left, int[] right) {
        Dim[] values = new Dim[left.length];
        try {
            for (int i = 0; i < values.length; i++) {
                Dim value = form.size().apply(a.dim(left[i]), b.dim(right[i]));
                if (value == null) {
                    return null;
                }
                values[i] = value;
            }
        } catch (ArithmeticException tooLarge) {
            return null;
        }
        return HostTensor.of(a.type(), shape, values);
    }

    /** Real results of a power whose base, and so whose type, is of whole numbers. */
    private static HostTensor cut(DataType type, long[] shape, double[] values) {
        return HostTensor.of(
                type,
                shape,
                Arrays.stream(values).mapToLong(v -> HostTensor.whole(type, v)).toArray());
    }

    /** A power of whole numbers by squaring, exact where it fits and else cut to its lowest 64 bits. */
    static long power(long base, long exponent) {
        if (exponent < 0) {
            return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : (long) Math.pow((double) base, exponent);
        }
        long result = 1;
        long square = base;
        for (long rest = exponent; rest > 0; rest >>= 1) {
            result = (rest & 1) == 1 ? result * square : result;
            square *= square;
        }
        return result;
    }

    private static @Nullable Dim power(Dim a, Dim b) {
        return a.isKnown() && b.isKnown() ? Dim.of(power(a.known(), b.known())) : null;
    }

    private static @Nullable Dim smaller(Dim a, Dim b) {
        return a.minus(b).isNonNegative() ? b : b.minus(a).isNonNegative() ? a : null;
    }

    private static @Nullable Dim larger(Dim a, Dim b) {
        return a.minus(b).isNonNegative() ? a : b.minus(a).isNonNegative() ? b : null;
    }

    static @Nullable List<HostTensor> one(@Nullable HostTensor result) {
        return Optional.ofNullable(result).map(List::of).orElse(null);
    }
}
