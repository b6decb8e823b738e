package dev.samediff.adapters.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class EffortTest {
    private static final Duration LIMIT = Duration.ofMillis(200);

    @Test
    void work_without_an_end_is_ended_with_its_place() {
        assertThatThrownBy(() -> Effort.within(LIMIT, () -> {
                    for (long i = 0; ; i++) {
                        Math.sqrt(i);
                    }
                }))
                .isInstanceOf(Effort.Exceeded.class)
                .hasMessageContaining("processor time")
                .satisfies(e -> assertThat(e.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().contains("EffortTest")));
    }

    /** As on a machine that does something else. */
    @Test
    void time_in_which_a_thread_does_not_run_does_not_count() throws Exception {
        assertThat(Effort.<Integer>within(LIMIT, () -> {
                    Thread.sleep(5 * LIMIT.toMillis());
                    return 7;
                }))
                .isEqualTo(7);
    }

    @Test
    void what_the_work_throws_is_thrown() {
        assertThatThrownBy(() -> Effort.within(LIMIT, () -> {
                    throw new IOException("x");
                }))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> Effort.within(LIMIT, () -> {
                    throw new AssertionError("y");
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessage("y");
    }
}
