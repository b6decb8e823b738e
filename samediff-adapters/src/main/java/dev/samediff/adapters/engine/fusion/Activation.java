package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An element-wise function of one tensor, written in steps, that has a kernel: GELU by tanh and by erf, SiLU and its scaled
 * forms, sigmoid, tanh, ReLU, square. Functions are compared by their values, not by how they are written: every exporter
 * writes a GELU in another way.
 */
final class Activation implements Form {
    private static final double TOLERANCE = 1e-6;

    /** Of functions without constants that somebody rounded to float32. */
    private static final double EXACT = 1e-9;

    /** What is left of 1 - 1 in double precision, as in the tail of {@code 1 + tanh(x / 2)}. */
    private static final double CANCELLED = 1e-15;

    private static final double[] POINTS = {
        -11.3, -6.1, -4.7, -3.3, -2.9, -2.1, -1.7, -1.3, -0.9, -0.61, -0.37, -0.13, -0.01, 0, 0.02, 0.11, 0.43, 0.59,
        0.83, 1, 1.21, 1.83, 2.37, 2.83, 3.41, 4.3, 5.9, 9.7
    };

    /** Far from 0, where functions that are cut off differ from those that are not; and near to it. */
    private static final double[] FAR = {
        3e-4, 0.003, 15, 20.5, 32, 51, 78, 130, 260, 520, 1100, 3300, 7000, 21_000, 66_000, 3e5, 1.1e6, 1e7
    };

    /** exp of more than this is no float32: a function that fails behind it fails where its kernel does not. */
    private static final double LARGEST_EXPONENT = 80;

    private static final List<UnaryKind> PLAIN = List.of(
            UnaryKind.SQUARE,
            UnaryKind.GELU_TANH,
            UnaryKind.GELU_ERF,
            UnaryKind.SIGMOID,
            UnaryKind.RELU,
            UnaryKind.TANH);

    @Override
    public Pattern pattern() {
        return (tensor, match) -> {
            ScalarFunctions.Function function = match.site().function(tensor);
            boolean worthIt = function.steps() > 1 || isSquare(match.site().producer(tensor));
            Match found = worthIt && kernel(function) != null ? match.with("y", tensor) : null;
            return found == null ? List.of() : List.of(found);
        };
    }

    private static boolean isSquare(@Nullable Node node) {
        return node != null && node.op() instanceof Op.Binary && node.input(0) == node.input(1);
    }

    @Override
    public Tensor result(Match match) {
        ScalarFunctions.Function function = match.site().function(match.old("y"));
        Op.Unary kernel = kernel(function);
        if (kernel == null) {
            throw new IllegalStateException("matched a function without a kernel");
        }
        Tensor root = match.site().get(function.root());
        return match.builder().add(kernel, List.of(root), root.type(), root.shape());
    }

    private static Op.@Nullable Unary kernel(ScalarFunctions.Function f) {
        for (UnaryKind kind : PLAIN) {
            if (isEqual(f, kind, 0)) {
                return new Op.Unary(kind, 0, 0);
            }
        }
        double alpha = Math.log(f.at(1) / (1 - f.at(1)));
        if (!Double.isFinite(alpha) || alpha <= 0 || !isEqual(f, UnaryKind.SWISH, alpha)) {
            return null;
        }
        return new Op.Unary(UnaryKind.SWISH, Math.abs(alpha - 1) < TOLERANCE ? 1 : alpha, 0);
    }

    private static boolean isEqual(ScalarFunctions.Function f, UnaryKind kind, double alpha) {
        DoubleUnaryOperator known = Scalars.function(kind, alpha, 0);
        if (known == null) {
            return false;
        }
        for (double x : POINTS) {
            if (!isEqual(f, known, x, kind)) {
                return false;
            }
        }
        for (double x : FAR) {
            if (!isEqual(f, known, x, kind) || !isEqual(f, known, -x, kind)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isEqual(ScalarFunctions.Function f, DoubleUnaryOperator known, double x, UnaryKind kind) {
        double expected = known.applyAsDouble(x);
        double actual = f.at(x);
        if (Math.abs(x) > LARGEST_EXPONENT && !Double.isFinite(actual)) {
            return true;
        }
        return Math.abs(actual - expected) <= tolerance(kind, x, expected, actual) + Double.MIN_NORMAL;
    }

    /**
     * How far apart two values may be. Those of a sigmoid must be as near to 0 and to 1 as the kernel's: of
     * {@code sigmoid(x) + 1e-7} and {@code sigmoid(x)}, which a loss takes the logarithm of, only one is 0 nowhere.
     */
    private static double tolerance(UnaryKind kind, double x, double expected, double actual) {
        return switch (kind) {
            case SQUARE, RELU, TANH -> EXACT * Math.abs(expected);
            case SIGMOID -> EXACT * expected + (actual == 0 || expected > CANCELLED ? CANCELLED : 0);
            default -> TOLERANCE * (Math.abs(expected) + Math.min(1, Math.abs(x)));
        };
    }
}
