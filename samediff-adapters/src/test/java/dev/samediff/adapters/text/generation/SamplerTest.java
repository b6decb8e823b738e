package dev.samediff.adapters.text.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final float[] LOGITS = {
        (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.2), (float) Math.log(0.3)
    };

    /** Share of each token in many draws. */
    private static double[] shares(Sampler sampler) {
        Random random = new Random(1);
        double[] shares = new double[LOGITS.length];
        int draws = 40_000;
        for (int i = 0; i < draws; i++) {
            shares[sampler.choose(LOGITS.clone(), random)] += 1.0 / draws;
        }
        return shares;
    }

    @Test
    void greedy_takes_the_likeliest_and_the_lowest_id_among_equals() {
        assertThat(Sampler.greedy().choose(new float[] {-3, 2, 1, 2}, new Random(0)))
                .isEqualTo(1);
    }

    @Test
    void temperature_one_draws_from_the_distribution_itself() {
        assertThat(shares(Sampler.temperature(1))).containsExactly(new double[] {0.1, 0.4, 0.2, 0.3}, within(0.01));
    }

    @Test
    void a_low_temperature_sharpens() {
        double sum = 0.01 + 0.16 + 0.04 + 0.09; // p^2
        assertThat(shares(Sampler.temperature(0.5)))
                .containsExactly(new double[] {0.01 / sum, 0.16 / sum, 0.04 / sum, 0.09 / sum}, within(0.01));
    }

    @Test
    void top_k_keeps_the_k_likeliest() {
        assertThat(shares(Sampler.nucleus(1, 2, 1)))
                .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.01));
    }

    @Test
    void top_p_keeps_the_fewest_that_reach_p() {
        assertThat(shares(Sampler.nucleus(1, 0, 0.65)))
                .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.01));
        assertThat(shares(Sampler.nucleus(1, 0, 0.75)))
                .containsExactly(new double[] {0, 4 / 9.0, 2 / 9.0, 3 / 9.0}, within(0.01));
        assertThat(shares(Sampler.nucleus(1, 0, 1e-9))).containsExactly(new double[] {0, 1, 0, 0}, within(1e-9));
    }

    @Test
    void impossible_tokens_are_never_drawn() {
        float[] logits = {Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY};
        for (int i = 0; i < 100; i++) {
            assertThat(Sampler.nucleus(1, 3, 0.99).choose(logits.clone(), new Random(i)))
                    .isEqualTo(1);
            assertThat(Sampler.temperature(1).choose(logits.clone(), new Random(i)))
                    .isEqualTo(1);
        }
    }

    /** Greedy decoding and drawing chose token 0 without a word. */
    @Test
    void nothing_is_chosen_by_logits_that_say_nothing() {
        float nan = Float.NaN;
        float infinity = Float.POSITIVE_INFINITY;
        Map<float[], String> refused = new LinkedHashMap<>();
        refused.put(new float[] {nan, 3, 5}, "NaN logits (token 0)");
        refused.put(new float[] {1, nan, 5}, "NaN logits (token 1)");
        refused.put(new float[] {nan, nan, nan}, "NaN logits (token 0)");
        refused.put(new float[] {1, 2, infinity}, "Infinity logits (token 2)");
        refused.put(new float[] {-infinity, -infinity}, "-Infinity as every one of 2 logits");
        refused.put(new float[] {}, "every one of 0 logits");
        for (Sampler sampler : List.of(
                Sampler.greedy(), Sampler.temperature(0.7), Sampler.nucleus(1, 2, 1), Sampler.nucleus(1, 0, 0.9))) {
            refused.forEach((logits, part) -> assertThatThrownBy(() -> sampler.choose(logits.clone(), new Random(1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("no token can be chosen", part, "training that diverged"));
            assertThat(sampler.choose(new float[] {-infinity, 4, -infinity}, new Random(1)))
                    .isEqualTo(1);
        }
    }

    @Test
    void impossible_settings_are_refused() {
        assertThatThrownBy(() -> Sampler.temperature(0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("use greedy decoding for temperature 0");
        assertThatThrownBy(() -> Sampler.nucleus(1, -1, 1)).hasMessageContaining("top-k -1");
        assertThatThrownBy(() -> Sampler.nucleus(1, 0, 1.5)).hasMessageContaining("top-p 1.5");
    }
}
