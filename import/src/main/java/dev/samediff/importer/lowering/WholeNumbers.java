package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Division, remainders and powers of whole numbers. A computed divisor may be zero, or minus one under the lowest number: that
 * is undefined in C++, and x86 ends the process there, so such a division is not carried out. What is divided by zero is zero
 * here, ONNX leaves it open.
 */
final class WholeNumbers {
    /** Powers beyond it leave 64 bits but for 0, 1 and -1. */
    private static final long LARGEST_EXPONENT = 63;

    private WholeNumbers() {}

    private static Value number(NodeCall call, Value like, long number) {
        return call.builder().constant(HostTensor.of(like.type(), new long[0], new long[] {number}));
    }

    /** Division, rounded towards zero. */
    static Value divide(NodeCall call, Value a, Value b) {
        if (isSafe(call, b)) {
            return plain(call, a, b);
        }
        Value zero = call.emit("Equal", b, number(call, b, 0));
        Value minus = call.emit("Equal", b, number(call, b, -1));
        Value divisor = call.emit("Where", call.emit("Or", zero, minus), number(call, b, 1), b);
        Value quotient = call.emit("Where", minus, call.emit("Neg", a), plain(call, a, divisor));
        return call.emit("Where", zero, number(call, a, 0), quotient);
    }

    private static Value plain(NodeCall call, Value a, Value b) {
        List<Dim> dims = Broadcast.dims(call, a.dims(), b.dims());
        return Value.computed(a.variable().div(b.variable()), a.type(), dims);
    }

    /** Tells whether every divisor is known to be neither 0 nor -1; a known zero is refused. */
    private static boolean isSafe(NodeCall call, Value divisor) {
        HostTensor known = divisor.content();
        if (known == null) {
            return false;
        }
        if (known.isSymbolic()) {
            return known.asDims().stream().allMatch(Dim::isPositive);
        }
        if (Arrays.stream(known.asLongs()).anyMatch(number -> number == 0)) {
            throw call.invalid("divides whole numbers by zero");
        }
        return Arrays.stream(known.asLongs()).noneMatch(number -> number == -1);
    }

    /**
     * The remainder.
     *
     * @param truncated whether it has the sign of the dividend, as in C, and not that of the divisor, as in Python
     */
    static Value remainder(NodeCall call, Value a, Value b, boolean truncated) {
        Value rest = call.emit("Sub", a, call.emit("Mul", divide(call, a, b), b));
        if (truncated) {
            return rest;
        }
        Value none = number(call, a, 0);
        Value across = call.emit("Xor", call.emit("Less", rest, none), call.emit("Less", b, none));
        Value moved = call.emit("And", across, call.emit("Not", call.emit("Equal", rest, none)));
        return call.emit("Where", moved, call.emit("Add", rest, b), rest);
    }

    /** A power of whole numbers, as large as their type: by products where the exponent is known, else as DOUBLE. */
    static Value power(NodeCall call, Value base, Value exponent) {
        HostTensor known = exponent.content();
        if (known != null
                && known.isSingle()
                && exponent.rank() <= base.rank()
                && !known.isFloating()
                && known.asLong(0) >= 0
                && known.asLong(0) <= LARGEST_EXPONENT) {
            return byProducts(call, base, known.asLong(0));
        }
        SDVariable wide = call.builder().cast(base.variable(), base.type(), DataType.DOUBLE);
        SDVariable by = call.builder().cast(exponent.variable(), exponent.type(), DataType.DOUBLE);
        Value power = Value.computed(
                call.graph().math().pow(wide, by), DataType.DOUBLE, Broadcast.dims(call, base.dims(), exponent.dims()));
        return call.emit("Cast", Map.of("to", OnnxTypes.number(base.type())), power);
    }

    private static Value byProducts(NodeCall call, Value base, long exponent) {
        if (exponent == 0) {
            return Expanding.expand(call, number(call, base, 1), base.dims());
        }
        Value result = null;
        Value square = base;
        for (long rest = exponent; rest > 0; rest >>= 1) {
            if ((rest & 1) == 1) {
                result = result == null ? square : call.emit("Mul", result, square);
            }
            square = rest > 1 ? call.emit("Mul", square, square) : square;
        }
        return result == null ? base : result;
    }
}
