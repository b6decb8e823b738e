package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/** NaN, infinities and -0 go through functions and reductions as their definitions have it, wherever they lie. */
class NotFiniteTest {
    private static final double[] SPECIAL = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0, 0.0, -1.5, 0.9, 2.5
    };
    private static final int[] SIZES = {1, 7, 16, 33, 1000, 4097};
    private static final double TOLERANCE = 1e-5;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    /** How a tensor of n numbers lies in memory; the strided ones are read in another order than they lie in. */
    private enum Lying {
        DENSE,
        TURNED,
        EVERY_THIRD;

        Numbers of(int n) {
            return switch (this) {
                case DENSE -> Numbers.zeros(1, n);
                case TURNED -> Numbers.ordered(new int[] {1, 0}, n % 7 == 0 ? 7 : 1, n % 7 == 0 ? n / 7 : n);
                case EVERY_THIRD -> Numbers.strided(DataType.FLOAT, new long[] {1, n}, new long[] {3L * n, 3});
            };
        }
    }

    private interface Case {
        void check(Numbers a, Numbers b, int threads);
    }

    /** Two tensors of special numbers, so that every pair of them meets somewhere, at all sizes, layouts and threads. */
    private static void everywhere(Case test) {
        Random random = new Random(3);
        for (int threads : new int[] {1, 2}) {
            Threads.with(threads, () -> {
                for (int n : SIZES) {
                    for (Lying lying : Lying.values()) {
                        for (int repetition = 0; repetition < (n < 100 ? 3 : 1); repetition++) {
                            Numbers a = lying.of(n).fill(() -> SPECIAL[random.nextInt(SPECIAL.length)]);
                            Numbers b = lying.of(n).fill(() -> SPECIAL[random.nextInt(SPECIAL.length)]);
                            test.check(a, b, threads);
                        }
                    }
                }
            });
        }
    }

    private static Numbers like(Numbers x) {
        return Numbers.strided(x.operand.type(), x.operand.shape(), x.operand.strides());
    }

    @ParameterizedTest
    @EnumSource(UnaryKind.class)
    void functions_of_one_number_are_what_their_definition_is(UnaryKind kind) {
        for (double alpha :
                kind == UnaryKind.RELU ? new double[] {0, UnaryTest.ALPHA} : new double[] {UnaryTest.ALPHA}) {
            everywhere((x, unused, threads) -> {
                double[] inputs = x.values();
                double[] expected = Arrays.stream(inputs)
                        .map(v -> kind == UnaryKind.RELU && alpha == 0
                                ? Math.max(v, 0)
                                : UnaryTest.function(kind).applyAsDouble(v))
                        .toArray();
                Numbers y = like(x);
                new Kernels()
                        .unary(kind, alpha, UnaryTest.beta(kind), x.operand, y.operand)
                        .run();
                same(kind, inputs, expected, y.values());
                new Kernels()
                        .unary(kind, alpha, UnaryTest.beta(kind), x.operand, x.operand)
                        .run();
                same(kind, inputs, expected, x.values());
            });
        }
    }

    /** Infinities may give NaN where oneDNN computes with parts that cancel; what is finite and what is NaN is right. */
    private static void same(UnaryKind kind, double[] inputs, double[] expected, double[] actual) {
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i] == 0 && kind == UnaryKind.RSQRT) {
                assertThat(actual[i]).as("%s(%s)", kind, inputs[i]).isInfinite(); // of either sign for -0
            } else if (Double.isInfinite(inputs[i]) && kind == UnaryKind.GELU_ERF) {
                assertThat(actual[i]).as("%s(%s)", kind, inputs[i]).isNotEqualTo(0.0);
            } else if (inputs[i] == Double.NEGATIVE_INFINITY
                    && (kind == UnaryKind.POW || kind == UnaryKind.RSQRT || kind == UnaryKind.MISH)) {
                continue; // where a negative number has no power, and where an infinity is multiplied by 0
            } else {
                number(kind + "(" + inputs[i] + ")", expected[i], actual[i]);
            }
        }
    }

    private static void number(String what, double expected, double actual) {
        boolean finite = Double.isFinite(expected);
        if (finite ? !(Math.abs(actual - expected) <= TOLERANCE) : Double.compare(actual, expected) != 0) {
            throw new AssertionError(what + " is " + actual + ", expected " + expected);
        }
    }

    /** The derivatives at NaN: of smooth functions NaN, of those with corners what PyTorch's autograd gives. */
    @ParameterizedTest
    @EnumSource(UnaryKind.class)
    void derivatives_at_nan_are_those_of_pytorch(UnaryKind kind) {
        double alpha = kind == UnaryKind.RELU ? 0 : UnaryTest.ALPHA;
        double expected = switch (kind) {
            case LINEAR -> UnaryTest.ALPHA;
            case RELU, ELU, HARD_SWISH -> 1;
            case HARD_SIGMOID, CLIP -> 0;
            default -> Double.NaN;
        };
        if (kind == UnaryKind.ABS) {
            return; // the sign of NaN: oneDNN has 1, PyTorch 0
        }
        everywhere((unused, other, threads) -> {
            Numbers x = like(unused).fill(() -> Double.NaN);
            Numbers dy = like(unused).fill(() -> 1);
            Numbers dx = like(unused);
            new Kernels()
                    .unaryGrad(kind, alpha, UnaryTest.beta(kind), dy.operand, x.operand, dx.operand)
                    .run();
            for (double slope : dx.values()) {
                number(kind + "' of NaN", expected, slope);
            }
            new Kernels()
                    .unaryGrad(kind, alpha, UnaryTest.beta(kind), dy.operand, x.operand, dy.operand)
                    .run();
            assertThat(dy.values()).as("in place").isEqualTo(dx.values());
        });
    }

    @ParameterizedTest
    @EnumSource(BinaryKind.class)
    void functions_of_two_numbers_are_what_their_definition_is(BinaryKind kind) {
        DoubleBinaryOperator f = switch (kind) {
            case ADD -> Double::sum;
            case SUBTRACT -> (a, b) -> a - b;
            case MULTIPLY -> (a, b) -> a * b;
            case DIVIDE -> (a, b) -> a / b;
            case MAXIMUM -> Math::max;
            case MINIMUM -> Math::min;
        };
        everywhere((a, b, threads) -> {
            double[] left = a.values();
            double[] right = b.values();
            Numbers dst = like(a);
            new Kernels().binary(kind, a.operand, b.operand, dst.operand).run();
            pairs(kind, f, left, right, dst.values());
            Numbers scalar = Numbers.zeros().set(right[0]);
            new Kernels().binary(kind, a.operand, scalar.operand, dst.operand).run();
            double[] repeated = new double[left.length];
            Arrays.fill(repeated, right[0]);
            pairs(kind, f, left, repeated, dst.values());
            new Kernels().binary(kind, scalar.operand, a.operand, dst.operand).run();
            pairs(kind, f, repeated, left, dst.values());
            Numbers first = like(a).set(left);
            new Kernels().binary(kind, first.operand, b.operand, first.operand).run();
            pairs(kind, f, left, right, first.values());
            new Kernels().binary(kind, a.operand, b.operand, b.operand).run();
            pairs(kind, f, left, right, b.values());
        });
    }

    private static void pairs(BinaryKind kind, DoubleBinaryOperator f, double[] left, double[] right, double[] actual) {
        for (int i = 0; i < left.length; i++) {
            number(
                    kind + " of " + left[i] + " and " + right[i],
                    f.applyAsDouble((float) left[i], (float) right[i]),
                    actual[i]);
        }
    }

    /** NaN at the first, at a middle and at the last place, in one of several rows, along inner and outer axes. */
    @ParameterizedTest
    @EnumSource(ReduceKind.class)
    void one_nan_makes_its_sum_mean_and_extremes_nan_and_no_others(ReduceKind kind) {
        for (int threads : new int[] {1, 2}) {
            Threads.with(threads, () -> {
                for (int n : SIZES) {
                    for (int inner : new int[] {1, 5}) {
                        for (int at : new int[] {0, n / 2, n - 1}) {
                            for (boolean strided : new boolean[] {false, true}) {
                                int[] order = strided ? new int[] {2, 1, 0} : new int[] {0, 1, 2};
                                Numbers x = Numbers.ordered(order, 3, n, inner).fill(() -> 2);
                                double[] values = x.values();
                                values[(n + at) * inner] = Double.NaN;
                                x.set(values);
                                Numbers dst = Numbers.zeros(3, 1, inner);
                                new Kernels()
                                        .reduce(kind, x.operand, dst.operand)
                                        .run();
                                double[] expected = new double[3 * inner];
                                Arrays.fill(expected, kind == ReduceKind.SUM ? 2.0 * n : 2);
                                expected[inner] = Double.NaN;
                                assertThat(dst.values()).isEqualTo(expected);
                            }
                        }
                    }
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ReduceKind.class,
            names = {"MAX", "MIN"})
    void opposite_infinities_are_no_nan_to_extremes(ReduceKind kind) {
        for (int n : SIZES) {
            Numbers x = Numbers.zeros(2, n + 2).fill(() -> -1);
            double[] values = x.values();
            values[0] = Double.POSITIVE_INFINITY;
            values[n] = Double.NEGATIVE_INFINITY;
            x.set(values);
            Numbers dst = Numbers.zeros(2, 1);
            new Kernels().reduce(kind, x.operand, dst.operand).run();
            assertThat(dst.values())
                    .containsExactly(kind == ReduceKind.MAX ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY, -1);
        }
    }
}
