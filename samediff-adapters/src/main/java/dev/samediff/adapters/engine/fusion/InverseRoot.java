package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.ofLastAxis;
import static dev.samediff.adapters.engine.fusion.Pattern.oneOf;
import static dev.samediff.adapters.engine.fusion.Pattern.unary;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * A tensor times the inverse root, or divided by the root, of the mean of its squares over the last axis. The root is found
 * by the values of the function, however it is written, and epsilon is read off at 0.
 */
final class InverseRoot {
    private static final double TOLERANCE = 1e-5;
    private static final double LARGEST_EPSILON = 0.1;
    private static final double[] POINTS = {1e-4, 3e-3, 0.07, 0.9, 4.2, 310, 2e4, 5e6};

    private InverseRoot() {}

    /** The pattern for a tensor {@code x}, which the given pattern names. */
    static Pattern of(Pattern x) {
        return oneOf(
                binary(BinaryKind.MULTIPLY, x, root("factor", false)),
                binary(BinaryKind.DIVIDE, x, root("divisor", true)));
    }

    private static Pattern root(String name, boolean divided) {
        Pattern squares = ofLastAxis(ReduceKind.MEAN, unary(UnaryKind.SQUARE, any("x")));
        return (tensor, match) -> {
            ScalarFunctions.Function function = match.site().function(tensor);
            Match named = match.with(name, tensor);
            return function.steps() == 0
                            || named == null
                            || epsilon(function, divided).isEmpty()
                    ? List.of()
                    : squares.find(function.root(), named);
        };
    }

    /** Returns the number added to the mean. */
    static double epsilon(Match match) {
        boolean divided = match.has("divisor");
        ScalarFunctions.Function function = match.site().function(match.old(divided ? "divisor" : "factor"));
        return epsilon(function, divided).orElseThrow();
    }

    private static OptionalDouble epsilon(ScalarFunctions.Function f, boolean divided) {
        double atZero = divided ? f.at(0) : 1 / f.at(0);
        double epsilon = atZero * atZero;
        if (!(epsilon >= 0) || epsilon > LARGEST_EPSILON) {
            return OptionalDouble.empty();
        }
        // around epsilon, what is added behind the root differs from what is added below it
        double[] points = DoubleStream.concat(
                        Arrays.stream(POINTS), DoubleStream.of(0.01 * epsilon, epsilon, 100 * epsilon))
                .toArray();
        for (double v : points) {
            double expected = Math.sqrt(v + epsilon);
            double actual = divided ? f.at(v) : 1 / f.at(v);
            if (!(Math.abs(actual - expected) <= TOLERANCE * expected)) {
                return OptionalDouble.empty();
            }
        }
        return OptionalDouble.of(epsilon);
    }
}
