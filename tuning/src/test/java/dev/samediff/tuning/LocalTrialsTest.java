package dev.samediff.tuning;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.ParameterValues;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LocalTrialsTest {
    private static final Duration SHORT = Duration.ofMillis(200);

    @Test
    void a_trial_that_sleeps_is_interrupted_at_its_limit() {
        TrialResult result = run(spec(SHORT, 0), context -> {
            Thread.sleep(60_000);
            return 1;
        });
        assertFailed(result, "longer than PT0.2S");
        assertThat(result.seconds()).as("it was not slept to the end").isLessThan(60);
    }

    @Test
    void a_trial_that_computes_ends_at_its_next_report() {
        AtomicInteger reports = new AtomicInteger();
        TrialResult result = run(spec(SHORT, 0), context -> {
            for (int step = 1; ; step++) {
                context.report(step, 1);
                reports.incrementAndGet();
                long until = System.nanoTime() + 20_000_000;
                while (System.nanoTime() < until) {
                    Thread.onSpinWait();
                }
            }
        });
        assertFailed(result, "longer than PT0.2S");
        assertThat(reports.get()).isPositive().isLessThan(60);
        assertThat(result.curve().points()).isNotEmpty();
    }

    @Test
    void a_trial_that_ignores_its_limit_is_left_behind() throws InterruptedException {
        AtomicBoolean end = new AtomicBoolean();
        CountDownLatch left = new CountDownLatch(1);
        TrialResult result = new LocalTrials(
                        context -> {
                            while (!end.get()) {
                                Thread.onSpinWait();
                            }
                            left.countDown();
                            return 1;
                        },
                        Duration.ofMillis(100))
                .execute(spec(SHORT, 3), report -> {});
        assertFailed(result, "left behind");
        assertThat(result.attempts()).as("no second one beside it").isEqualTo(1);
        end.set(true);
        left.await();
    }

    @Test
    void a_late_score_does_not_count() {
        TrialResult result = run(spec(SHORT, 0), context -> {
            long until = System.nanoTime() + 400_000_000;
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            return 1;
        });
        assertFailed(result, "longer than");
    }

    @Test
    void failures_are_tried_again_and_errors_are_failures() {
        AtomicInteger attempts = new AtomicInteger();
        TrialResult second = run(spec(Duration.ZERO, 2), context -> {
            context.report(1, 3);
            if (attempts.incrementAndGet() < 2) {
                throw new OutOfMemoryError("as if");
            }
            return 7;
        });
        assertThat(second.state()).isEqualTo(TrialState.COMPLETE);
        assertThat(second.attempts()).isEqualTo(2);
        assertThat(second.curve().points()).as("of the last attempt only").hasSize(1);
        TrialResult never = run(spec(Duration.ZERO, 2), context -> {
            throw new StackOverflowError("as if");
        });
        assertFailed(never, "StackOverflowError: as if");
        assertThat(never.attempts()).isEqualTo(3);
    }

    @Test
    void what_will_fail_again_is_not_tried_again() {
        TrialResult nan = run(spec(Duration.ZERO, 5), context -> Double.NaN);
        assertFailed(nan, "its score is NaN");
        assertThat(nan.attempts()).isEqualTo(1);
        assertThat(nan.score()).isNaN();
        assertFailed(run(spec(Duration.ZERO, 5), context -> Double.NEGATIVE_INFINITY), "-Infinity");
        TrialResult reported = run(spec(Duration.ZERO, 5), context -> {
            context.report(1, Double.NaN);
            return 1;
        });
        assertFailed(reported, "step 1 is NaN");
        assertThat(reported.attempts()).isEqualTo(1);
    }

    @Test
    void random_numbers_are_those_of_the_seed_whatever_ran_before() {
        List<INDArray> drawn = new ArrayList<>();
        Trial trial = context -> {
            drawn.add(Nd4j.rand(3, 4));
            return 0;
        };
        run(spec(Duration.ZERO, 0), trial);
        run(spec(Duration.ZERO, 0), context -> Nd4j.rand(100).sumNumber().doubleValue());
        Nd4j.getRandom().setSeed(99);
        run(spec(Duration.ZERO, 0), trial);
        assertThatBits(drawn.get(1)).isEqualTo(drawn.get(0));
    }

    private static void assertFailed(TrialResult result, String reason) {
        assertThat(result.state()).isEqualTo(TrialState.FAILED);
        assertThat(result.error()).contains(reason);
    }

    private static TrialResult run(TrialSpec spec, Trial trial) {
        return new LocalTrials(trial).execute(spec, report -> {});
    }

    private static TrialSpec spec(Duration limit, int retries) {
        return new TrialSpec(0, new ParameterValues(Map.of()), 5, 1, limit, retries, new Pruning.None(), List.of());
    }
}
