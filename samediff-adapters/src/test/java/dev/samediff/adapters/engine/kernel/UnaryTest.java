package dev.samediff.adapters.engine.kernel;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.math3.special.Erf;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnaryTest {
    static final double ALPHA = 0.8;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    static double beta(UnaryKind kind) {
        return kind == UnaryKind.CLIP ? 1.3 : kind == UnaryKind.POW ? 1.7 : 0.3;
    }

    private static double tolerance(UnaryKind kind) {
        return kind == UnaryKind.LOG ? 5e-6 : 2e-6; // oneDNN's logarithm is an approximation
    }

    static DoubleUnaryOperator function(UnaryKind kind) {
        double beta = beta(kind);
        return switch (kind) {
            case LINEAR -> x -> ALPHA * x + beta;
            case TANH -> Math::tanh;
            case EXP -> Math::exp;
            case LOG -> Math::log;
            case SQRT -> Math::sqrt;
            case SQUARE -> x -> x * x;
            case ABS -> Math::abs;
            case RELU -> x -> x > 0 ? x : ALPHA * x;
            case ELU -> x -> x > 0 ? x : ALPHA * Math.expm1(x);
            case SIGMOID -> x -> 1 / (1 + Math.exp(-x));
            case SWISH -> x -> x / (1 + Math.exp(-ALPHA * x));
            case GELU_TANH -> x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU_ERF -> x -> 0.5 * x * (1 + Erf.erf(x / Math.sqrt(2)));
            case SOFTPLUS -> x -> Math.log1p(Math.exp(ALPHA * x)) / ALPHA;
            case MISH -> x -> x * Math.tanh(Math.log1p(Math.exp(x)));
            case HARD_SWISH -> x -> x * Math.min(1, Math.max(0, ALPHA * x + beta));
            case HARD_SIGMOID -> x -> Math.min(1, Math.max(0, ALPHA * x + beta));
            case POW -> x -> ALPHA * Math.pow(x, beta);
            case CLIP -> x -> Math.min(beta, Math.max(ALPHA, x));
            case RSQRT -> x -> 1 / Math.sqrt(x);
            case RECIPROCAL -> x -> 1 / x;
            case ERF -> Erf::erf;
            case SIN -> Math::sin;
            case COS -> Math::cos;
        };
    }

    /** Numbers where the function is defined and not near a corner. */
    private static Numbers inputs(UnaryKind kind, Numbers x) {
        Random random = new Random(5);
        boolean positive = Arrays.asList(
                        UnaryKind.LOG, UnaryKind.SQRT, UnaryKind.POW, UnaryKind.RSQRT, UnaryKind.RECIPROCAL)
                .contains(kind);
        DoubleUnaryOperator f = function(kind);
        return x.fill(() -> {
            while (true) {
                double v = positive ? 0.2 + 3 * random.nextDouble() : 3 * random.nextGaussian();
                double second = f.applyAsDouble(v + 1e-3) - 2 * f.applyAsDouble(v) + f.applyAsDouble(v - 1e-3);
                if (Math.abs(second) < 2e-4) {
                    return v;
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(UnaryKind.class)
    void functions_agree_with_double_precision(UnaryKind kind) {
        Numbers x = inputs(kind, Numbers.zeros(7, 33));
        Numbers y = Numbers.zeros(7, 33);
        Kernel kernel = new Kernels().unary(kind, ALPHA, beta(kind), x.operand, y.operand);
        kernel.run();
        double[] expected = Arrays.stream(x.values()).map(function(kind)).toArray();
        y.isCloseTo(expected, tolerance(kind));
        x.move();
        y.move().fill(() -> 7);
        kernel.run();
        y.isCloseTo(expected, tolerance(kind));
        Numbers.isFast(kernel);
        new Kernels().unary(kind, ALPHA, beta(kind), x.operand, x.operand).run();
        x.isCloseTo(expected, tolerance(kind));
    }

    @ParameterizedTest
    @EnumSource(UnaryKind.class)
    void gradients_agree_with_finite_differences(UnaryKind kind) {
        Numbers x = inputs(kind, Numbers.zeros(7, 33));
        Numbers dy = Numbers.random(2, 7, 33);
        Numbers dx = Numbers.zeros(7, 33);
        double[] expected = gradient(kind, x, dy);
        new Kernels()
                .unaryGrad(kind, ALPHA, beta(kind), dy.operand, x.operand, dx.operand)
                .run();
        dx.isCloseTo(expected, 1e-5);
        new Kernels()
                .unaryGrad(kind, ALPHA, beta(kind), dy.operand, x.operand, dy.operand)
                .run();
        dy.isCloseTo(expected, 1e-5);
    }

    private static double[] gradient(UnaryKind kind, Numbers x, Numbers dy) {
        double h = 1e-6;
        double[] inputs = x.values();
        double[] upstream = dy.values();
        double[] expected = new double[inputs.length];
        for (int i = 0; i < expected.length; i++) {
            double rise =
                    function(kind).applyAsDouble(inputs[i] + h) - function(kind).applyAsDouble(inputs[i] - h);
            expected[i] = upstream[i] * rise / (2 * h);
        }
        return expected;
    }

    @Test
    void strides_do_not_matter() {
        int[][] orders = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
        for (int[] first : orders) {
            for (int[] second : orders) {
                Numbers x = Numbers.ordered(first, 3, 4, 5).randomise(1);
                Numbers y = Numbers.ordered(second, 3, 4, 5);
                new Kernels().unary(UnaryKind.TANH, 0, 0, x.operand, y.operand).run();
                y.isCloseTo(Arrays.stream(x.values()).map(Math::tanh).toArray(), 2e-6);
                Numbers dy = Numbers.ordered(second, 3, 4, 5).randomise(2);
                double[] expected = gradient(UnaryKind.TANH, x, dy);
                new Kernels()
                        .unaryGrad(UnaryKind.TANH, 0, 0, dy.operand, x.operand, dy.operand)
                        .run();
                dy.isCloseTo(expected, 1e-5);
            }
        }
    }
}
