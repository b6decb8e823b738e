package dev.samediff.importer;

import dev.samediff.importer.Numbers.Span;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/**
 * Interval arithmetic of element-wise operators.
 *
 * @param ranges what values can be
 */
record RangeArithmetic(Function<String, Numbers> ranges) {
    Numbers of(OnnxNode node) {
        return switch (node.operator()) {
            case "Add" -> pairs(node, (a, b) -> new Span(a.low() + b.low(), a.high() + b.high()));
            case "Sub" -> pairs(node, (a, b) -> new Span(a.low() - b.high(), a.high() - b.low()));
            case "Mul" ->
                pairs(
                        node,
                        (a, b) -> Span.of(
                                times(a.low(), b.low()),
                                times(a.low(), b.high()),
                                times(a.high(), b.low()),
                                times(a.high(), b.high())));
            case "Div" ->
                pairs(
                        node,
                        (a, b) -> b.low() <= 0 && b.high() >= 0
                                ? Span.ANY
                                : Span.of(
                                        a.low() / b.low(),
                                        a.low() / b.high(),
                                        a.high() / b.low(),
                                        a.high() / b.high()));
            case "Mod" -> pairs(node, RangeArithmetic::modulo);
            case "Min" -> fold(node, (a, b) -> new Span(Math.min(a.low(), b.low()), Math.min(a.high(), b.high())));
            case "Max" -> fold(node, (a, b) -> new Span(Math.max(a.low(), b.low()), Math.max(a.high(), b.high())));
            case "Clip" -> clipped(node);
            case "Neg" -> rising(node, x -> x).negated();
            case "Abs" -> absolute(in(node, 0));
            case "Sign" -> Numbers.of(new Span(-1, 1));
            case "Floor" -> rising(node, Math::floor).numbers();
            case "Ceil" -> rising(node, Math::ceil).numbers();
            case "Round" -> rising(node, Math::rint).numbers();
            case "Relu" -> rising(node, x -> Math.max(0, x)).numbers();
            case "Exp" -> rising(node, Math::exp).numbers();
            case "Log" ->
                rising(node, x -> x <= 0 ? Double.NEGATIVE_INFINITY : Math.log(x))
                        .numbers();
            case "Sqrt" -> rising(node, x -> Math.sqrt(Math.max(0, x))).numbers();
            default -> Numbers.UNKNOWN;
        };
    }

    /** Zero times an infinite bound is zero: the bound is never reached. */
    static double times(double a, double b) {
        return a == 0 || b == 0 ? 0 : a * b;
    }

    private static Span modulo(Span a, Span b) {
        if (!(b.low() > 0) || Double.isInfinite(b.high())) {
            return Span.ANY;
        }
        return new Span(a.low() >= 0 ? 0 : 1 - b.high(), b.high() - 1);
    }

    /** A function of two spans. */
    private interface Pair {
        Span of(Span left, Span right);
    }

    private Numbers pairs(OnnxNode node, Pair pair) {
        Numbers left = ranges.apply(node.input(0));
        Numbers right = ranges.apply(node.input(1));
        int length = Math.max(length(left), length(right));
        if (length < 1 || left.each() == null || right.each() == null) {
            return Numbers.of(pair.of(left.all(), right.all()));
        }
        List<Span> each = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            each.add(pair.of(left.at(length(left) == 1 ? 0 : i), right.at(length(right) == 1 ? 0 : i)));
        }
        return Numbers.of(each);
    }

    private static int length(Numbers numbers) {
        return numbers.each() == null ? 0 : numbers.each().size();
    }

    private Numbers fold(OnnxNode node, Pair pair) {
        Span all = in(node, 0);
        for (int i = 1; i < node.inputs().size(); i++) {
            all = pair.of(all, in(node, i));
        }
        return Numbers.of(all);
    }

    private Numbers clipped(OnnxNode node) {
        double low = bound(node, 1, "min", Double.NEGATIVE_INFINITY);
        double high = bound(node, 2, "max", Double.POSITIVE_INFINITY);
        Span x = in(node, 0);
        return Numbers.of(new Span(Math.min(high, Math.max(low, x.low())), Math.min(high, Math.max(low, x.high()))));
    }

    private double bound(OnnxNode node, int index, String attribute, double otherwise) {
        if (node.has(attribute)) {
            return node.real(attribute, 0);
        }
        if (node.input(index).isEmpty()) {
            return otherwise;
        }
        Span given = in(node, index);
        return index == 1 ? given.low() : given.high();
    }

    private static Numbers absolute(Span x) {
        double high = Math.max(Math.abs(x.low()), Math.abs(x.high()));
        return Numbers.of(new Span(x.low() > 0 ? x.low() : x.high() < 0 ? -x.high() : 0, high));
    }

    /** A function that rises, applied to both ends. */
    private record Rising(Span span) {
        Numbers numbers() {
            return Numbers.of(span);
        }

        Numbers negated() {
            return Numbers.of(new Span(-span.high(), -span.low()));
        }
    }

    private Rising rising(OnnxNode node, DoubleUnaryOperator function) {
        Span x = in(node, 0);
        return new Rising(new Span(function.applyAsDouble(x.low()), function.applyAsDouble(x.high())));
    }

    private Span in(OnnxNode node, int index) {
        return node.input(index).isEmpty()
                ? Span.ANY
                : ranges.apply(node.input(index)).all();
    }
}
