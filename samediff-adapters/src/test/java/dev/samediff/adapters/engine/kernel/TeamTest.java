package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(600)
class TeamTest {
    @Test
    void every_piece_is_done_once_and_seen_by_the_caller() {
        for (int size : new int[] {1, 2, 5}) {
            Team team = new Team(size);
            for (int pieces : new int[] {0, 1, 3, 1000}) {
                int[] done = new int[pieces];
                int[] expected = new int[pieces];
                Arrays.fill(expected, 1);
                team.run(pieces, (piece, member) -> done[piece]++);
                assertThat(done).containsExactly(expected);
            }
        }
    }

    @Test
    void two_threads_have_two_numbers_and_one_number_is_one_threads() {
        AtomicIntegerArray inside = new AtomicIntegerArray(3);
        Set<Integer> members = ConcurrentHashMap.newKeySet();
        CountDownLatch both = new CountDownLatch(2);
        new Team(2).run(200, (piece, member) -> {
            assertThat(inside.incrementAndGet(member)).isEqualTo(1);
            if (members.add(member)) {
                both.countDown();
                await(both);
            }
            inside.decrementAndGet(member);
        });
        assertThat(members).containsExactlyInAnyOrder(0, 1);
    }

    @Test
    void the_caller_does_everything_where_the_pool_has_other_work() {
        CountDownLatch free = new CountDownLatch(1);
        int others = ForkJoinPool.getCommonPoolParallelism();
        for (int i = 0; i < others; i++) {
            ForkJoinPool.commonPool().execute(() -> await(free));
        }
        AtomicInteger done = new AtomicInteger();
        new Team(4).run(100, (piece, member) -> done.incrementAndGet());
        assertThat(done).hasValue(100);
        free.countDown();
    }

    @Test
    void a_team_without_members_is_refused() {
        assertThatThrownBy(() -> new Team(0)).hasMessageContaining("at least 1");
    }

    /** What a piece may throw: what callers expect, what the virtual machine throws, and what the compiler does not see. */
    static List<Throwable> failures() {
        return List.of(
                new IllegalStateException("state"),
                new OutOfMemoryError("no memory"),
                new StackOverflowError("too deep"),
                new AssertionError("wrong"),
                new LinkageError("no library"),
                new IOException("checked"),
                new Throwable("anything"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatever_the_only_thread_throws_is_thrown(Throwable failure) {
        assertThatThrownBy(() -> new Team(1).run(3, (piece, member) -> TeamTest.<RuntimeException>sneak(failure)))
                .isSameAs(failure);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatever_the_caller_throws_is_thrown_when_the_others_have_stopped(Throwable failure) {
        reaches_the_caller(failure, true);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatever_another_thread_throws_is_thrown_when_the_others_have_stopped(Throwable failure) {
        reaches_the_caller(failure, false);
    }

    /** Member 0 is the caller. One of two fails while the other one is inside of a piece that takes longer. */
    private static void reaches_the_caller(Throwable failure, boolean byCaller) {
        Team team = new Team(2);
        for (int repetition = 0; repetition < 5; repetition++) {
            CountDownLatch both = new CountDownLatch(2);
            AtomicInteger inside = new AtomicInteger();
            AtomicInteger begun = new AtomicInteger();
            assertThatThrownBy(() -> team.run(1000, (piece, member) -> {
                        begun.incrementAndGet();
                        inside.incrementAndGet();
                        both.countDown();
                        await(both);
                        if ((member == 0) == byCaller) {
                            inside.decrementAndGet();
                            TeamTest.<RuntimeException>sneak(failure);
                        }
                        pause();
                        inside.decrementAndGet();
                    }))
                    .isSameAs(failure);
            assertThat(inside).as("threads still inside of a piece").hasValue(0);
            assertThat(begun).as("pieces begun").hasValueLessThan(1000);
            assertThat(failure.getSuppressed()).isEmpty();
        }
        AtomicInteger done = new AtomicInteger();
        team.run(100, (piece, member) -> done.incrementAndGet());
        assertThat(done).as("pieces of a run after a failure").hasValue(100);
    }

    @Test
    void of_several_failures_one_is_thrown_and_suppresses_the_others() {
        CountDownLatch both = new CountDownLatch(2);
        Throwable[] thrown = {new OutOfMemoryError("of the caller"), new IllegalStateException("of the other")};
        assertThatThrownBy(() -> new Team(2).run(50, (piece, member) -> {
                    both.countDown();
                    await(both);
                    TeamTest.<RuntimeException>sneak(thrown[member]);
                }))
                .isIn((Object[]) thrown)
                .satisfies(first ->
                        assertThat(first.getSuppressed()).containsExactly(first == thrown[0] ? thrown[1] : thrown[0]));
    }

    @Test
    void one_failure_of_all_threads_is_thrown_once() {
        CountDownLatch both = new CountDownLatch(2);
        OutOfMemoryError failure = new OutOfMemoryError("the same");
        assertThatThrownBy(() -> new Team(2).run(50, (piece, member) -> {
                    both.countDown();
                    await(both);
                    throw failure;
                }))
                .isSameAs(failure)
                .hasNoSuppressedExceptions();
    }

    @Test
    void the_last_piece_may_fail() {
        for (int size : new int[] {1, 2}) {
            assertThatThrownBy(() -> new Team(size).run(10, (piece, member) -> {
                        if (piece == 9) {
                            throw new OutOfMemoryError("the last");
                        }
                    }))
                    .isInstanceOf(OutOfMemoryError.class);
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable failure) throws T {
        throw (T) failure;
    }

    private static void pause() {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
