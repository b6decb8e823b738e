package dev.samediff.adapters.serving;

import static dev.samediff.adapters.serving.ServedGpt.answer;
import static dev.samediff.adapters.serving.ServedGpt.assertClose;
import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Many threads, replaced adapters, a pool that is closed. */
class PoolUnderLoadTest {
    private static final int THREADS = 8;
    private static final int REQUESTS = 10_000;

    private final ServedGpt served = new ServedGpt();
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void nobody_ever_gets_another_adapters_answer_while_adapters_are_replaced() throws Exception {
        List<AdapterState> states = List.of(
                served.lora(1),
                served.lora(2),
                served.trained(AdapterConfig.of(Pissa.rank(2)), 3),
                served.trained(AdapterConfig.of(Lora.rank(3)), 4));
        Map<String, INDArray> inputs = served.gpt.inputs(2, 5, 6);
        try (ModelPool pool = served.open(PoolOptions.defaults().withWorkers(3))) {
            List<INDArray> right = new ArrayList<>();
            for (AdapterState state : states) {
                pool.put("x", state);
                right.add(answer(pool, "x", inputs));
                assertClose(right.get(right.size() - 1), served.expected(state, inputs), 1e-5);
            }
            INDArray base = answer(pool, inputs);
            pool.put("still", states.get(1));

            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger left = new AtomicInteger(REQUESTS);
            Future<Integer> swaps = threads.submit(swapping(pool, states, over, left));
            List<Future<int[]>> clients = new ArrayList<>();
            for (int client = 1; client < THREADS; client++) {
                clients.add(threads.submit(asking(pool, inputs, right, base, left)));
            }
            int[] answers = new int[right.size()];
            for (Future<int[]> client : clients) {
                int[] counted = client.get();
                for (int i = 0; i < answers.length; i++) {
                    answers[i] += counted[i];
                }
            }
            over.set(true);
            assertThat(swaps.get()).as("swaps").isGreaterThan(10);
            assertThat(answers).as("answers by each adapter").doesNotContain(0);
        }
    }

    /** Replaces the adapter after every hundred requests. */
    private static Callable<Integer> swapping(
            ModelPool pool, List<AdapterState> states, AtomicBoolean over, AtomicInteger left) {
        return () -> {
            int count = 0;
            int next = REQUESTS;
            while (!over.get()) {
                if (left.get() <= next) {
                    pool.put("x", states.get(count++ % states.size()));
                    next = left.get() - 100;
                }
                Thread.sleep(1);
            }
            return count;
        };
    }

    /** Counts answers by the adapter that gave them; fails at one that nobody gave. */
    private static Callable<int[]> asking(
            ModelPool pool, Map<String, INDArray> inputs, List<INDArray> right, INDArray base, AtomicInteger left) {
        return () -> {
            int[] counts = new int[right.size()];
            for (int request = left.getAndDecrement(); request > 0; request = left.getAndDecrement()) {
                switch (request % 4) {
                    case 0 -> assertThatBits(answer(pool, inputs)).isEqualTo(base);
                    case 1 -> assertThatBits(answer(pool, "still", inputs)).isEqualTo(right.get(1));
                    default -> {
                        INDArray given = answer(pool, "x", inputs);
                        int by = 0;
                        while (!Arrays.equals(numbers(given), numbers(right.get(by)))) {
                            by++; // beyond the last: an answer that is no adapter's
                        }
                        counts[by]++;
                    }
                }
            }
            return counts;
        };
    }

    private static float[] numbers(INDArray array) {
        return array.dup('c').reshape(array.length()).toFloatVector();
    }

    @Test
    void a_pool_that_is_closed_under_load_answers_or_says_so() throws Exception {
        Map<String, INDArray> inputs = served.gpt.inputs(2, 5, 6);
        ModelPool pool = served.open(PoolOptions.defaults().withWorkers(3));
        pool.put("x", served.lora(1));
        INDArray right = answer(pool, "x", inputs);
        List<Future<Boolean>> clients = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            clients.add(threads.submit(() -> {
                for (int request = 0; request < 100_000; request++) {
                    try {
                        assertThatBits(answer(pool, "x", inputs)).isEqualTo(right);
                    } catch (IllegalStateException closed) {
                        assertThat(closed).hasMessageContaining("the pool is closed");
                        return true;
                    }
                }
                return false;
            }));
        }
        Thread.sleep(200);
        pool.close();
        for (Future<Boolean> client : clients) {
            assertThat(client.get()).isTrue();
        }
        assertThat(pool.memory()).isEqualTo(new ModelPool.Memory(0, 0, 0));
        assertThatThrownBy(() -> pool.put("x", served.lora(1))).isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void adapters_and_workers_share_one_copy_of_the_weights(Precision precision) throws Exception {
        TinyGpt wide = new TinyGpt(256, 1, 4, 64, 0);
        Map<String, INDArray> inputs = wide.inputs(4, 32, 2); // enough rows for packed copies
        PoolOptions options = PoolOptions.defaults()
                .withWorkers(4)
                .withEngine(EngineOptions.defaults().withThreads(1).withPrecision(precision));
        AdaptedModel adapted = AdaptedModel.inject(SharingCopy.of(wide.graph), AdapterConfig.of(Lora.rank(4)));
        try (ModelPool pool = ModelPool.open(wide.graph, Map.of(), options)) {
            answer(pool, inputs);
            long copies = pool.memory().copyBytes();
            assertThat(copies).isPositive();
            for (int i = 0; i < 5; i++) {
                pool.put("adapter " + i, adapted.state());
            }
            List<Future<INDArray>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String name = "adapter " + i % 5;
                answers.add(threads.submit(() -> answer(pool, name, inputs)));
            }
            INDArray first = answers.get(0).get();
            for (Future<INDArray> each : answers) {
                assertThatBits(each.get()).isEqualTo(first);
            }
            ModelPool.Memory memory = pool.memory();
            assertThat(memory.workers()).isGreaterThan(2);
            assertThat(memory.copyBytes()).isEqualTo(copies);
            assertThat(memory.adapterBytes()).isEqualTo(5 * 4 * adapted.trainableParameters());
        }
    }
}
