package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.Spaces;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;

/** Functions that searches are compared on, each with its least value. */
enum TestFunctions {
    /** Branin's: three equal valleys in the plane. */
    BRANIN(
            AdapterSpace.of(
                    Parameter.of("x0", new Range.Uniform(-5, 10)), Parameter.of("x1", new Range.Uniform(0, 15))),
            0.397887,
            values -> {
                double x = x(values, 0);
                double a = x(values, 1) - 5.1 / (4 * Math.PI * Math.PI) * x * x + 5 / Math.PI * x - 6;
                return a * a + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
            }),
    /** Rosenbrock's: a bent valley. */
    ROSENBROCK(
            cube(2, -2, 2),
            0,
            values -> 100 * Math.pow(x(values, 1) - x(values, 0) * x(values, 0), 2) + Math.pow(1 - x(values, 0), 2)),
    /** A bowl in five directions, away from the middle. */
    BOWL(
            cube(5, -5, 5),
            0,
            values -> IntStream.range(0, 5)
                    .mapToDouble(i -> Math.pow(x(values, i) - 1.7 + 0.9 * i, 2))
                    .sum()),
    /** Rastrigin's: a bowl with many dents. */
    RASTRIGIN(
            cube(3, -5.12, 5.12),
            0,
            values -> IntStream.range(0, 3)
                    .mapToDouble(i -> x(values, i) - 0.7)
                    .map(x -> 10 + x * x - 10 * Math.cos(2 * Math.PI * x))
                    .sum()),
    /** Hartmann's in six directions. */
    HARTMANN(cube(6, 0, 1), -3.32237, TestFunctions::hartmann),
    /** Falls towards a corner of the space: what the widths of the outermost kernels decide. */
    CORNER(
            cube(3, 0, 1),
            0,
            values -> IntStream.range(0, 3)
                    .mapToDouble(i -> i == 1 ? x(values, i) : 1 - x(values, i))
                    .map(Math::sqrt)
                    .sum()),
    /** Whole numbers. */
    WHOLE(
            AdapterSpace.of(
                    Parameter.of("x0", new Range.Integers(1, 12)),
                    Parameter.of("x1", new Range.Integers(1, 64)),
                    Parameter.of("x2", new Range.Integers(1, 1000))),
            0,
            values -> Math.abs(x(values, 0) - 9) / 12
                    + Math.pow((x(values, 1) - 21) / 64, 2)
                    + Math.abs(x(values, 2) - 333) / 1000),
    /** Choices, logarithms and a condition. */
    MIXED(Spaces.MIXED, 0, Spaces::distance),
    /** Two methods: the one that is worse at first can become better, by a parameter that the other does not have. */
    DECEPTIVE(
            AdapterSpace.of(
                    Parameter.of("method", new Range.Choice(List.of("lora", "sorsa"))),
                    Parameter.of("eta", new Range.LogUniform(1e-5, 1)),
                    Parameter.of("rank", new Range.Integers(1, 64)),
                    Parameter.of("gamma", new Range.LogUniform(1e-6, 1e-3)).when("method", "sorsa")),
            0,
            values -> Math.pow(Math.log10(values.number("eta").orElseThrow()) + 3, 2)
                    + Math.pow((values.number("rank").orElseThrow() - 40) / 20, 2)
                    + values.number("gamma")
                            .map(gamma -> Math.pow(2 * Math.log10(gamma) + 8, 2))
                            .orElse(1.5));

    private final AdapterSpace space;
    private final double least;
    private final ToDoubleFunction<ParameterValues> function;

    TestFunctions(AdapterSpace space, double least, ToDoubleFunction<ParameterValues> function) {
        this.space = space;
        this.least = least;
        this.function = function;
    }

    /** Returns how much the best of so many trials is above the least value. */
    double regret(Search search, long seed, int trials) {
        CandidateGenerator generator = Generators.of(search, new ArbiterSpace(space), seed, 2);
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < trials; i++) {
            Candidate<?> candidate = generator.getCandidate();
            ParameterValues values = (ParameterValues) candidate.getValue();
            double score = function.applyAsDouble(values);
            generator.reportResults(Outcomes.of(
                    candidate, new TrialResult(i, values, TrialState.COMPLETE, score, 0, 1, LearningCurve.EMPTY, "")));
            best = Math.min(best, score);
        }
        return best - least;
    }

    /** Returns the regrets at the seeds 0, 1, 2 and so on. */
    double[] regrets(Search search, int seeds, int trials) {
        return IntStream.range(0, seeds)
                .mapToDouble(seed -> regret(search, seed, trials))
                .toArray();
    }

    private static AdapterSpace cube(int directions, double low, double high) {
        return new AdapterSpace(IntStream.range(0, directions)
                .mapToObj(i -> Parameter.of("x" + i, new Range.Uniform(low, high)))
                .toList());
    }

    private static double x(ParameterValues values, int direction) {
        return values.number("x" + direction).orElseThrow();
    }

    private static double hartmann(ParameterValues values) {
        double[] alpha = {1, 1.2, 3, 3.2};
        double[][] a = {
            {10, 3, 17, 3.5, 1.7, 8},
            {0.05, 10, 17, 0.1, 8, 14},
            {3, 3.5, 1.7, 10, 17, 8},
            {17, 8, 0.05, 10, 0.1, 14}
        };
        double[][] p = {
            {0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
            {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
            {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
            {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}
        };
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            double exponent = 0;
            for (int j = 0; j < 6; j++) {
                exponent += a[i][j] * Math.pow(x(values, j) - p[i][j], 2);
            }
            sum -= alpha[i] * Math.exp(-exponent);
        }
        return sum;
    }
}
