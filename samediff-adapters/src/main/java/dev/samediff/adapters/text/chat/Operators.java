package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.Parts.Expression;
import java.util.ArrayList;
import java.util.List;

/** What operators of two values do. */
final class Operators {
    private Operators() {}

    static Expression of(String operator, Expression a, Expression b) {
        return scope -> {
            scope.run().step();
            return apply(operator, a.value(scope), b.value(scope), scope.run());
        };
    }

    /** How much it costs to look at all of a value. */
    static long size(Object value) {
        return value instanceof String text
                ? text.length()
                : value instanceof List<?> list
                        ? list.size()
                        : value instanceof java.util.Map<?, ?> map ? map.size() : 1;
    }

    /** The same for what becomes a list: each character of a string becomes a string. */
    static long sizeAsList(Object value) {
        return value instanceof String ? 16 * size(value) : size(value);
    }

    private static Object apply(String operator, Object a, Object b, Run run) {
        run.grow(operator.endsWith("in") || operator.endsWith("=") ? size(a) + size(b) : 0);
        return switch (operator) {
            case "==" -> Values.equal(run, a, b);
            case "!=" -> !Values.equal(run, a, b);
            case "<" -> Values.compare(a, b) < 0;
            case "<=" -> Values.compare(a, b) <= 0;
            case ">" -> Values.compare(a, b) > 0;
            case ">=" -> Values.compare(a, b) >= 0;
            case "in" -> Values.contains(run, b, a);
            case "not in" -> !Values.contains(run, b, a);
            case "~" -> joined(Values.text(run, a), Values.text(run, b), run);
            case "+" -> plus(a, b, run);
            case "*" -> times(a, b, run);
            default -> arithmetic(operator, a, b);
        };
    }

    private static String joined(String a, String b, Run run) {
        run.grow((long) a.length() + b.length());
        return a.concat(b);
    }

    private static Object plus(Object a, Object b, Run run) {
        if (a instanceof String one && b instanceof String other) {
            return joined(one, other, run);
        }
        if (a instanceof List<?> one && b instanceof List<?> other) {
            run.grow((long) one.size() + other.size());
            List<Object> both = new ArrayList<>(one);
            both.addAll(other);
            return both;
        }
        if (a instanceof String || b instanceof String) {
            throw new InvalidInputException("the chat template joins " + Values.kind(a) + " and " + Values.kind(b)
                    + " with +; a message may lack a key that the template needs");
        }
        return arithmetic("+", a, b);
    }

    private static Object times(Object a, Object b, Run run) {
        if (a instanceof String text) {
            long count = Math.max(0, Values.whole(b));
            run.grow(count > 0 && text.length() > Long.MAX_VALUE / count ? -1 : text.length() * count);
            return text.repeat((int) count);
        }
        return arithmetic("*", a, b);
    }

    private static Object arithmetic(String operator, Object a, Object b) {
        if (a instanceof Double || b instanceof Double || operator.equals("/") || operator.equals("**")) {
            double x = Values.number(a);
            double y = Values.number(b);
            double result = switch (operator) {
                case "+" -> x + y;
                case "-" -> x - y;
                case "*" -> x * y;
                case "/" -> x / nonZero(y);
                case "//" -> Math.floor(x / nonZero(y));
                case "%" -> x - nonZero(y) * Math.floor(x / y);
                default -> Math.pow(x, y);
            };
            boolean whole =
                    operator.equals("**") && a instanceof Long && b instanceof Long && Math.abs(result) < 1L << 53;
            return whole && result == Math.rint(result) ? (Object) (long) result : (Object) result;
        }
        long x = Values.whole(a);
        long y = Values.whole(b);
        try {
            return switch (operator) {
                case "+" -> Math.addExact(x, y);
                case "-" -> Math.subtractExact(x, y);
                case "*" -> Math.multiplyExact(x, y);
                case "//" -> Math.floorDiv(x, y);
                default -> Math.floorMod(x, y);
            };
        } catch (ArithmeticException e) {
            throw new InvalidInputException(
                    "the chat template calculates " + x + " " + operator + " " + y + ", which has no result here", e);
        }
    }

    private static double nonZero(double divisor) {
        if (divisor == 0) {
            throw new InvalidInputException("the chat template divides by 0");
        }
        return divisor;
    }
}
