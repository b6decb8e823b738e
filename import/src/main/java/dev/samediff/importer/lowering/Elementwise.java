package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Arithmetic on elements, with broadcasting; known numbers become scalar operators. */
final class Elementwise {
    private static final int MOST_OPERANDS = 2048;

    /** Functions of real numbers and of whole ones. */
    private static final Set<String> WHOLE = Set.of("Neg", "Abs", "Sign", "Relu");

    private Elementwise() {}

    /** An operator on two tensors, on tensor and number, and on number and tensor. */
    private record Binary(
            BiFunction<SDVariable, SDVariable, SDVariable> tensors,
            BiFunction<SDVariable, Double, SDVariable> right,
            BiFunction<SDVariable, Double, SDVariable> left) {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Add", call -> binary(call, new Binary(SDVariable::add, SDVariable::add, SDVariable::add)));
        operators.put("Sub", call -> binary(call, new Binary(SDVariable::sub, SDVariable::sub, SDVariable::rsub)));
        operators.put("Mul", call -> binary(call, new Binary(SDVariable::mul, SDVariable::mul, SDVariable::mul)));
        operators.put("Div", Elementwise::division);
        operators.put("Pow", Elementwise::power);
        operators.put("Mod", Elementwise::modulo);
        operators.put("Min", call -> chain(call, (a, b) -> Choice.extreme(call, a, b, false)));
        operators.put("Max", call -> chain(call, (a, b) -> Choice.extreme(call, a, b, true)));
        operators.put("Sum", call -> chain(call, (a, b) -> call.emit("Add", a, b)));
        operators.put("Clip", Elementwise::clip);
        unary(operators, "Neg", (graph, x) -> x.neg());
        unary(operators, "Abs", (graph, x) -> graph.math().abs(x));
        unary(operators, "Sqrt", (graph, x) -> graph.math().sqrt(x));
        unary(operators, "Reciprocal", (graph, x) -> x.rdiv(1.0));
        unary(operators, "Exp", (graph, x) -> graph.math().exp(x));
        unary(operators, "Log", (graph, x) -> graph.math().log(x));
        unary(operators, "Sin", (graph, x) -> graph.math().sin(x));
        unary(operators, "Cos", (graph, x) -> graph.math().cos(x));
        unary(operators, "Floor", (graph, x) -> graph.math().floor(x));
        unary(operators, "Ceil", (graph, x) -> graph.math().ceil(x));
        unary(operators, "Sign", (graph, x) -> graph.math().sign(x));
    }

    static void unary(
            Map<String, OpLowering> operators, String name, BiFunction<SameDiff, SDVariable, SDVariable> form) {
        operators.put(name, call -> {
            Value x = call.in(0);
            if (!x.type().isFPType() && !WHOLE.contains(name)) {
                throw call.refused("takes real numbers, and is given " + x.type(), "cast them first");
            }
            return call.result(form.apply(call.graph(), x.variable()), x);
        });
    }

    private static List<Value> binary(NodeCall call, Binary form) {
        Value a = call.in(0);
        Value b = call.in(1);
        List<Dim> dims = Broadcast.dims(call, a.dims(), b.dims());
        if (b.isScalar() && b.rank() <= a.rank()) {
            return call.result(form.right().apply(a.variable(), b.scalar()), a.type(), dims);
        }
        if (a.isScalar() && a.rank() <= b.rank()) {
            return call.result(form.left().apply(b.variable(), a.scalar()), a.type(), dims);
        }
        return call.result(form.tensors().apply(a.variable(), b.variable()), a.type(), dims);
    }

    /** By the reciprocal where the divisor may be a single number: M2.1 differentiates such a division wrongly. */
    private static List<Value> division(NodeCall call) {
        Value divisor = call.in(1);
        if (!divisor.type().isFPType()) {
            return List.of(WholeNumbers.divide(call, call.in(0), divisor));
        }
        boolean single = !divisor.isConstant() && divisor.dims().stream().allMatch(dim -> !dim.isKnown() || dim.is(1));
        return single
                ? binary(call, new Binary((a, b) -> a.mul(b.rdiv(1.0)), SDVariable::div, (b, a) -> b.rdiv(a)))
                : binary(call, new Binary(SDVariable::div, SDVariable::div, SDVariable::rdiv));
    }

    /** Small whole exponents as products: an order of magnitude faster than the power function. */
    private static List<Value> power(NodeCall call) {
        Value base = call.in(0);
        Value exponent = call.in(1);
        if (!base.type().isFPType()) {
            return List.of(WholeNumbers.power(call, base, exponent));
        }
        SDVariable x = base.variable();
        SameDiff graph = call.graph();
        if (exponent.content() != null && exponent.content().isSingle() && exponent.rank() <= base.rank()) {
            double power = exponent.content().asDouble(0);
            SDVariable result = power == 1
                    ? x
                    : power == 2
                            ? graph.math().square(x)
                            : power == 3
                                    ? graph.math().square(x).mul(x)
                                    : power == 0.5
                                            ? graph.math().sqrt(x)
                                            : graph.math().pow(x, power);
            return call.result(result, base);
        }
        SDVariable by = call.builder().cast(exponent.variable(), exponent.type(), base.type());
        return call.result(graph.math().pow(x, by), base.type(), Broadcast.dims(call, base.dims(), exponent.dims()));
    }

    private static List<Value> modulo(NodeCall call) {
        Value a = call.in(0);
        Value b = call.in(1);
        boolean truncated = call.node().integer("fmod", 0) == 1;
        return List.of(
                a.type().isFPType()
                        ? realRemainder(call, a, b, truncated)
                        : WholeNumbers.remainder(call, a, b, truncated));
    }

    /** In DOUBLE, which tells a quotient of FLOATs from the whole number it is just below. */
    private static Value realRemainder(NodeCall call, Value a, Value b, boolean truncated) {
        Map<String, Integer> wide = Map.of("to", OnnxTypes.number(DataType.DOUBLE));
        Value dividend = call.emit("Cast", wide, a);
        Value divisor = call.emit("Cast", wide, b);
        Value quotient = call.emit("Div", dividend, divisor);
        Value whole = truncated
                ? call.emit("Mul", call.emit("Sign", quotient), call.emit("Floor", call.emit("Abs", quotient)))
                : call.emit("Floor", quotient);
        Value zero = call.real(DataType.DOUBLE, 0);
        Value less = call.emit("Sub", dividend, call.emit("Mul", whole, divisor));
        Value rest = call.emit("Where", call.emit("Equal", whole, zero), dividend, less);
        // a quotient that was rounded up to a whole number leaves less than nothing
        Value negative = call.emit("Less", truncated ? dividend : divisor, zero);
        Value over = call.emit("Xor", call.emit("Less", rest, zero), negative);
        Value wrong = call.emit("And", over, call.emit("Not", call.emit("Equal", rest, zero)));
        Value step = truncated ? call.emit("Mul", call.emit("Sign", dividend), call.emit("Abs", divisor)) : divisor;
        return call.emit("CastLike", call.emit("Where", wrong, call.emit("Add", rest, step), rest), a);
    }

    private static List<Value> chain(NodeCall call, BinaryOperator<Value> form) {
        if (call.inputs().size() > MOST_OPERANDS) {
            throw call.refused(
                    "combines " + call.inputs().size() + " values, one by one; up to " + MOST_OPERANDS
                            + " can be imported",
                    "export it as several nodes, or as one reduction of a stacked tensor");
        }
        Value result = call.in(0);
        for (int i = 1; i < call.inputs().size(); i++) {
            result = form.apply(result, call.in(i));
        }
        return List.of(result);
    }

    /** Known real bounds by SameDiff's own clip, of which the upper one counts where it is the lower; all others by choices. */
    private static List<Value> clip(NodeCall call) {
        Value x = call.in(0);
        boolean real = x.type().isFPType()
                && IntStream.of(1, 2)
                        .allMatch(i -> call.optional(i)
                                .map(bound -> bound.content() != null)
                                .orElse(true));
        double low = real ? bound(call, 1, "min", -Float.MAX_VALUE) : 0;
        double high = real ? bound(call, 2, "max", Float.MAX_VALUE) : 0;
        if (real && low <= high) {
            return call.result(call.graph().clipByValue(x.variable(), low, high), x);
        }
        Value above = orLimit(call, 1, "min", -Float.MAX_VALUE)
                .map(bound -> call.emit("Max", x, bound))
                .orElse(x);
        return List.of(orLimit(call, 2, "max", Float.MAX_VALUE)
                .map(bound -> call.emit("Min", above, bound))
                .orElse(above));
    }

    /** A bound; a real one that is neither an input nor an attribute is the last finite number, as in ONNX Runtime. */
    private static Optional<Value> orLimit(NodeCall call, int input, String attribute, float limit) {
        DataType type = call.in(0).type();
        return call.optional(input)
                .or(() -> type.isFPType()
                        ? Optional.of(call.real(type, call.node().real(attribute, limit)))
                        : Optional.empty());
    }

    private static double bound(NodeCall call, int input, String attribute, float otherwise) {
        return call.optional(input).isPresent()
                ? call.known(input, "bounds").asDouble(0)
                : call.node().real(attribute, otherwise);
    }
}
