package dev.samediff.adapters.text.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingTest {
    private static final float[] LOGITS = {
        (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.2), (float) Math.log(0.3)
    };

    private static double[] shares(Sampler sampler, int... history) {
        Random random = new Random(1);
        double[] shares = new double[LOGITS.length];
        int draws = 40_000;
        for (int i = 0; i < draws; i++) {
            shares[sampler.choose(LOGITS.clone(), history, random)] += 1.0 / draws;
        }
        return shares;
    }

    @Test
    void min_p_keeps_what_is_at_least_so_likely_as_a_share_of_the_likeliest() {
        assertThat(shares(Sampling.of(1).withMinP(0.6)))
                .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.01));
        assertThat(shares(Sampling.of(1).withMinP(0.4)))
                .containsExactly(new double[] {0, 4 / 9.0, 2 / 9.0, 3 / 9.0}, within(0.01));
        assertThat(shares(Sampling.of(1).withMinP(1))).containsExactly(new double[] {0, 1, 0, 0}, within(1e-9));
        // p^2 at temperature 1/2: 0.01, 0.16, 0.04, 0.09
        assertThat(shares(Sampling.of(0.5).withMinP(0.3)))
                .containsExactly(new double[] {0, 16 / 25.0, 0, 9 / 25.0}, within(0.01));
    }

    @Test
    void min_p_comes_after_top_k_and_top_p() {
        assertThat(shares(Sampling.of(1).withTopK(3).withTopP(0.99).withMinP(0.6)))
                .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.01));
        assertThat(shares(Sampling.of(1).withTopK(1).withMinP(0.1)))
                .containsExactly(new double[] {0, 1, 0, 0}, within(1e-9));
    }

    @Test
    void a_penalty_lowers_what_occurred_once_whether_its_score_is_above_or_below_zero() {
        Sampling sampling = Sampling.greedy().withRepetitionPenalty(2);
        float[] logits = {3, -1, 1.4f, -8};
        assertThat(sampling.choose(logits, new int[] {0, 0, 1, 0}, new Random(0)))
                .isEqualTo(0);
        assertThat(logits).containsExactly(1.5f, -2, 1.4f, -8);
        assertThat(sampling.choose(new float[] {3, -1, 1.6f, -8}, new int[] {0, 1}, new Random(0)))
                .isEqualTo(2);
        assertThat(sampling.choose(new float[] {3, 2}, new int[] {}, new Random(0)))
                .isZero();
        assertThat(Sampling.greedy().choose(new float[] {3, 2}, new int[] {0}, new Random(0)))
                .isZero();
        assertThat(Sampling.greedy()
                        .withRepetitionPenalty(0.5)
                        .choose(new float[] {3, 2}, new int[] {1}, new Random(0)))
                .isOne();
    }

    @Test
    void a_penalty_is_applied_before_temperature_and_cuts() {
        double p = Math.pow(0.4, 2); // the logarithm is below 0, so the penalty 2 doubles it
        double sum = 0.1 + p + 0.2 + 0.3;
        assertThat(shares(Sampling.of(1).withRepetitionPenalty(2), 1, 1))
                .containsExactly(new double[] {0.1 / sum, p / sum, 0.2 / sum, 0.3 / sum}, within(0.01));
        assertThat(shares(Sampling.of(1).withTopK(2).withRepetitionPenalty(2), 1))
                .containsExactly(new double[] {0, 0, 2 / 5.0, 3 / 5.0}, within(0.01));
    }

    @Test
    void tokens_of_a_prompt_beyond_the_models_scores_do_not_matter() {
        assertThat(Sampling.greedy().withRepetitionPenalty(2).choose(new float[] {1, 3}, new int[] {7}, new Random(0)))
                .isOne();
    }

    @Test
    void samplers_of_others_need_no_history() {
        Sampler last = (logits, random) -> logits.length - 1;
        assertThat(last.choose(new float[] {1, 3}, new int[] {7}, new Random(0)))
                .isOne();
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, 1, 0, 1, temperature -1.0",
        "NaN, 0, 1, 0, 1, temperature NaN",
        "0, 5, 1, 0, 1, at temperature 0 nothing is drawn",
        "0, 0, 0.9, 0, 1, at temperature 0 nothing is drawn",
        "0, 0, 1, 0.1, 1, at temperature 0 nothing is drawn",
        "1, -1, 1, 0, 1, top-k -1",
        "1, 0, 0, 0, 1, top-p 0.0",
        "1, 0, 1.1, 0, 1, top-p 1.1",
        "1, 0, 1, -0.1, 1, min-p -0.1",
        "1, 0, 1, NaN, 1, min-p NaN",
        "1, 0, 1, 1.5, 1, min-p 1.5",
        "1, 0, 1, 0, 0, repetition penalty 0.0",
        "1, 0, 1, 0, Infinity, repetition penalty Infinity",
    })
    void impossible_settings_are_refused(double t, int k, double p, double min, double penalty, String words) {
        assertThatThrownBy(() -> new Sampling(t, k, p, min, penalty))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(words);
    }
}
