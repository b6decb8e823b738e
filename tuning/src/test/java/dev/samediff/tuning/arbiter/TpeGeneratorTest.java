package dev.samediff.tuning.arbiter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.Spaces;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.junit.jupiter.api.Test;

class TpeGeneratorTest {
    private static final int TRIALS = 60;
    private static final int SEEDS = 20;

    /** Branin's function on [-5,10] x [0,15]; its least value is 0.397887. */
    private static double branin(ParameterValues values) {
        double x = values.number("x").orElseThrow();
        double y = values.number("y").orElseThrow();
        double a = y - 5.1 / (4 * Math.PI * Math.PI) * x * x + 5 / Math.PI * x - 6;
        return a * a + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
    }

    private static final AdapterSpace BRANIN =
            AdapterSpace.of(Parameter.of("x", new Range.Uniform(-5, 10)), Parameter.of("y", new Range.Uniform(0, 15)));

    @Test
    void it_beats_random_search_on_branins_function() {
        requireBetter(BRANIN, TpeGeneratorTest::branin, 0.397887);
    }

    @Test
    void it_beats_random_search_with_conditions_choices_and_logarithms() {
        requireBetter(Spaces.MIXED, Spaces::distance, 0);
    }

    /** At fixed seeds: the median regret is below two thirds of random search's, and it wins at least 14 of 20 times. */
    private static void requireBetter(AdapterSpace space, ToDoubleFunction<ParameterValues> function, double least) {
        double[] tpe = new double[SEEDS];
        double[] random = new double[SEEDS];
        int wins = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            tpe[seed] = best(Search.TPE, space, function, seed) - least;
            random[seed] = best(Search.RANDOM, space, function, seed) - least;
            wins += tpe[seed] < random[seed] ? 1 : 0;
        }
        Arrays.sort(tpe);
        Arrays.sort(random);
        assertThat(tpe[SEEDS / 2]).isLessThan(random[SEEDS / 2] * 2 / 3);
        assertThat(wins).isGreaterThanOrEqualTo(14);
    }

    private static double best(
            Search search, AdapterSpace space, ToDoubleFunction<ParameterValues> function, long seed) {
        CandidateGenerator generator = Generators.of(search, new ArbiterSpace(space), seed, 2);
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < TRIALS; i++) {
            Candidate<?> candidate = generator.getCandidate();
            ParameterValues values = (ParameterValues) candidate.getValue();
            double score = function.applyAsDouble(values);
            generator.reportResults(Outcomes.of(
                    candidate, new TrialResult(i, values, TrialState.COMPLETE, score, 0, 1, LearningCurve.EMPTY, "")));
            best = Math.min(best, score);
        }
        return best;
    }
}
