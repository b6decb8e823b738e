package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.math3.special.Erf;
import org.jspecify.annotations.Nullable;

/** Element-wise functions of single numbers. */
final class Scalars {
    private Scalars() {}

    /** Returns the function of a kind, or null if it is not needed here. */
    static @Nullable DoubleUnaryOperator function(UnaryKind kind, double alpha, double beta) {
        return switch (kind) {
            case LINEAR -> x -> alpha * x + beta;
            case TANH -> Math::tanh;
            case EXP -> Math::exp;
            case LOG -> Math::log;
            case SQRT -> Math::sqrt;
            case SQUARE -> x -> x * x;
            case ABS -> Math::abs;
            case RELU -> x -> Math.max(x, 0);
            case SIGMOID -> Scalars::sigmoid;
            case SWISH -> x -> x * sigmoid(alpha * x);
            case GELU_TANH -> x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU_ERF -> x -> 0.5 * x * (1 + Erf.erf(x / Math.sqrt(2)));
            case ERF -> Erf::erf;
            case POW -> x -> alpha * Math.pow(x, beta);
            case RSQRT -> x -> 1 / Math.sqrt(x);
            case RECIPROCAL -> x -> 1 / x;
            default -> null;
        };
    }

    static double apply(BinaryKind kind, double a, double b) {
        return switch (kind) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case MAXIMUM -> Math.max(a, b);
            case MINIMUM -> Math.min(a, b);
        };
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
