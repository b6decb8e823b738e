package dev.samediff.samples.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class StepFitTest {
    private static long bytes(long length) {
        return 1000 + 40 * length + 3 * length * length;
    }

    private final StepFit fit = StepFit.of(400, bytes(400), bytes(200), bytes(100));

    @Test
    void three_lengths_tell_what_grows_how() {
        assertThat(fit.perPair()).isCloseTo(3, within(1e-9));
        assertThat(fit.perToken()).isCloseTo(40, within(1e-6));
        assertThat(fit.fixed()).isCloseTo(1000, within(1e-3));
        assertThat(fit.bytes(1, 800)).isCloseTo(bytes(800), within(1e-3));
    }

    @Test
    void as_many_texts_fit_as_there_is_room_for() {
        long each = bytes(100) - 1000;
        assertThat(fit.texts(1000 + 5 * each + 1, 100)).isEqualTo(5);
        assertThat(fit.texts(1000 + 5 * each - 1, 100)).isEqualTo(4);
        assertThat(fit.texts(900, 100)).isZero();
    }

    @Test
    void the_longest_text_is_the_one_that_just_fits() {
        assertThat(fit.length(bytes(777) + 1)).isEqualTo(777);
        assertThat(fit.length(bytes(777) - 1)).isEqualTo(776);
        assertThat(fit.length(10)).isZero();
        StepFit linear = new StepFit(10, 4, 0);
        assertThat(linear.length(10 + 4 * 25)).isEqualTo(25);
    }
}
