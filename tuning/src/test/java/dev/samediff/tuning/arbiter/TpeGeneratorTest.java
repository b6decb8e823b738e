package dev.samediff.tuning.arbiter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Longer runs: {@link TpeBench}, whose table is in docs/tuning.md. */
class TpeGeneratorTest {
    private static final int TRIALS = 60;
    private static final int SEEDS = 20;

    @ParameterizedTest
    @EnumSource(TestFunctions.class)
    void it_beats_random_search_at_fixed_seeds(TestFunctions function) {
        double[] tpe = function.regrets(Search.TPE, SEEDS, TRIALS);
        double[] random = function.regrets(Search.RANDOM, SEEDS, TRIALS);
        long wins = IntStream.range(0, SEEDS).filter(i -> tpe[i] < random[i]).count();
        Arrays.sort(tpe);
        Arrays.sort(random);
        double ratio = tpe[SEEDS / 2] / random[SEEDS / 2];
        assertThat(ratio).isLessThan(0.8);
        assertThat(wins).isGreaterThan(SEEDS / 2);
    }

    @Test
    void pruned_trials_are_worse_than_complete_ones_the_later_the_better_and_failed_ones_do_not_count() {
        AdapterSpace space = AdapterSpace.of(Parameter.of("x", new Range.Uniform(0, 1)));
        CandidateGenerator generator = Generators.of(Search.TPE, new ArbiterSpace(space), 3, 2);
        for (int i = 0; i < 40; i++) {
            Candidate<?> candidate = generator.getCandidate();
            ParameterValues values = (ParameterValues) candidate.getValue();
            generator.reportResults(Outcomes.of(candidate, ended(i, values)));
        }
        double[] next = IntStream.range(0, 20)
                .mapToDouble(i -> ((ParameterValues) generator.getCandidate().getValue())
                        .number("x")
                        .orElseThrow())
                .toArray();
        assertThat(Arrays.stream(next).filter(x -> x > 0.6).count()).isGreaterThan(14);
    }

    /** Below 0.4 trials fail with the best score; up to 0.6 they are pruned with a good one; above they end with a bad one. */
    private static TrialResult ended(int index, ParameterValues values) {
        double x = values.number("x").orElseThrow();
        TrialState state = x < 0.4 ? TrialState.FAILED : x < 0.6 ? TrialState.PRUNED : TrialState.COMPLETE;
        double score = state == TrialState.FAILED ? -9 : state == TrialState.PRUNED ? -5 : 5 - x;
        LearningCurve curve = new LearningCurve(List.of(new LearningCurve.Point(3, score)));
        return new TrialResult(index, values, state, score, 0, 1, curve, "");
    }
}
