package dev.samediff.adapters.train.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import org.junit.jupiter.api.Test;

/** Expected: the lambdas of transformers' optimization.py, worked out for 4 warm-up and 12 total steps. */
class ScheduleTest {
    @Test
    void linear() {
        assertSchedule(Schedule.LINEAR, 0, .25, .5, .75, 1, .875, .75, .625, .5, .375, .25, .125, 0, 0);
    }

    @Test
    void cosine() {
        assertSchedule(
                Schedule.COSINE,
                0,
                .25,
                .5,
                .75,
                1,
                0.9619397662556434,
                0.8535533905932737,
                0.6913417161825449,
                0.5,
                0.3086582838174551,
                0.14644660940672627,
                0.03806023374435663,
                0);
    }

    @Test
    void constant() {
        assertSchedule(Schedule.CONSTANT, 0, .25, .5, .75, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    }

    @Test
    void without_warm_up_the_first_step_has_the_peak() {
        for (Schedule schedule : Schedule.values()) {
            assertThat(schedule.multiplier(0, 0, 10)).isEqualTo(1);
        }
    }

    @Test
    void names_are_found_in_any_case_and_unknown_ones_are_answered_with_the_list() {
        assertThat(Schedule.named("Cosine")).isEqualTo(Schedule.COSINE);
        assertThatThrownBy(() -> Schedule.named("step"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`step`")
                .hasMessageContaining("constant, linear, cosine");
    }

    private static void assertSchedule(Schedule schedule, double... expected) {
        for (int step = 0; step < expected.length; step++) {
            assertThat(schedule.multiplier(step, 4, 12)).as("step %d", step).isCloseTo(expected[step], within(1e-12));
        }
    }
}
