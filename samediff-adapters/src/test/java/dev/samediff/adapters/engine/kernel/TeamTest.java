package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
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
    void a_failure_reaches_the_caller_when_the_rest_is_done() {
        AtomicInteger done = new AtomicInteger();
        assertThatThrownBy(() -> new Team(2).run(50, (piece, member) -> {
                    if (piece == 7) {
                        throw new IllegalStateException("piece 7");
                    }
                    done.incrementAndGet();
                }))
                .hasMessage("piece 7");
        assertThat(done).hasValue(49);
        assertThatThrownBy(() -> new Team(0)).hasMessageContaining("at least 1");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
