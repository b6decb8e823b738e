package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import org.apache.commons.math3.special.Erf;

/** Functions of single numbers and their derivatives, as PyTorch defines them at corners and for NaN. */
final class ScalarMath {
    private static final double ROOT = Math.sqrt(2 / Math.PI);

    private ScalarMath() {}

    static double unary(UnaryKind kind, double alpha, double beta, double x) {
        return switch (kind) {
            case LINEAR -> alpha * x + beta;
            case TANH -> Math.tanh(x);
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case SQRT -> Math.sqrt(x);
            case SQUARE -> x * x;
            case ABS -> Math.abs(x);
            case RELU -> x > 0 || Double.isNaN(x) ? x : alpha == 0 ? 0 : alpha * x;
            case ELU -> x > 0 ? x : alpha * Math.expm1(x);
            case SIGMOID -> sigmoid(x);
            case SWISH -> x * sigmoid(alpha * x);
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(ROOT * (x + 0.044715 * x * x * x)));
            case GELU_ERF -> 0.5 * x * (1 + erf(x / Math.sqrt(2)));
            case SOFTPLUS -> softplus(alpha * x) / alpha;
            case MISH -> x * Math.tanh(softplus(x));
            case HARD_SWISH -> x * clip(alpha * x + beta, 0, 1);
            case HARD_SIGMOID -> clip(alpha * x + beta, 0, 1);
            case POW -> alpha * Math.pow(x, beta);
            case CLIP -> clip(x, alpha, beta);
            case RSQRT -> 1 / Math.sqrt(x);
            case RECIPROCAL -> 1 / x;
            case ERF -> erf(x);
            case SIN -> Math.sin(x);
            case COS -> Math.cos(x);
        };
    }

    static double slope(UnaryKind kind, double alpha, double beta, double x) {
        return switch (kind) {
            case LINEAR -> alpha;
            case TANH -> 1 - Math.tanh(x) * Math.tanh(x);
            case EXP -> Math.exp(x);
            case LOG -> 1 / x;
            case SQRT -> 0.5 / Math.sqrt(x);
            case SQUARE -> 2 * x;
            case ABS -> Math.signum(x);
            case RELU -> x > 0 ? 1 : alpha;
            case ELU -> x > 0 ? 1 : alpha * Math.exp(x);
            case SIGMOID -> sigmoid(x) * (1 - sigmoid(x));
            case SWISH -> sigmoid(alpha * x) * (1 + alpha * x * (1 - sigmoid(alpha * x)));
            case GELU_TANH -> {
                double t = Math.tanh(ROOT * (x + 0.044715 * x * x * x));
                yield 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x * x);
            }
            case GELU_ERF -> 0.5 * (1 + erf(x / Math.sqrt(2))) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            case SOFTPLUS -> sigmoid(alpha * x);
            case MISH -> {
                double t = Math.tanh(softplus(x));
                yield t + x * (1 - t * t) * sigmoid(x);
            }
            case HARD_SWISH -> {
                double inner = alpha * x + beta;
                yield inner <= 0 ? 0 : inner >= 1 ? 1 : 2 * alpha * x + beta;
            }
            case HARD_SIGMOID -> alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0;
            case POW -> alpha * beta * Math.pow(x, beta - 1);
            case CLIP -> x > alpha && x <= beta ? 1 : 0;
            case RSQRT -> -0.5 / (x * Math.sqrt(x));
            case RECIPROCAL -> -1 / (x * x);
            case ERF -> 2 / Math.sqrt(Math.PI) * Math.exp(-x * x);
            case SIN -> Math.cos(x);
            case COS -> -Math.sin(x);
        };
    }

    static double binary(BinaryKind kind, double a, double b) {
        return switch (kind) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case MAXIMUM -> Math.max(a, b);
            case MINIMUM -> Math.min(a, b);
        };
    }

    private static double erf(double x) {
        return Double.isNaN(x) ? x : Erf.erf(x);
    }

    private static double clip(double x, double low, double high) {
        return Double.isNaN(x) ? x : Math.min(high, Math.max(low, x));
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static double softplus(double x) {
        return x > 30 ? x : Math.log1p(Math.exp(x));
    }
}
