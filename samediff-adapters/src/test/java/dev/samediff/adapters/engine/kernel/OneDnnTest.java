package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OneDnnTest {
    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    @Test
    void it_says_what_it_makes_of_this_processor() {
        assertThat(OneDnn.reason()).isEmpty();
        assertThat(OneDnn.isa()).isNotBlank();
    }

    @Test
    void a_number_of_threads_holds_for_what_is_made_with_it_and_for_nothing_else() {
        int before = OneDnn.threads();
        assertThat(OneDnn.<Integer>with(before + 1, OneDnn::threads)).isEqualTo(before + 1);
        assertThat(OneDnn.<Integer>with(3, () -> OneDnn.with(before + 1, () -> 0) + OneDnn.threads()))
                .isEqualTo(3);
        assertThatThrownBy(() -> OneDnn.with(5, () -> {
                    throw new IllegalStateException("not made");
                }))
                .hasMessage("not made");
        assertThat(OneDnn.threads()).isEqualTo(before);
        assertThatThrownBy(() -> OneDnn.with(0, () -> 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_thread_that_makes_kernels_does_not_see_the_number_of_another() throws InterruptedException {
        int before = OneDnn.threads();
        AtomicInteger other = new AtomicInteger();
        OneDnn.with(before + 1, () -> {
            Thread thread = new Thread(() -> other.set(OneDnn.threads()));
            thread.start();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return 0;
        });
        assertThat(other).hasValue(before);
    }

    @Test
    void kernels_for_small_work_run_on_the_calling_thread() {
        assertThat(OneDnn.<Integer>with(2, () -> OneDnn.limited(true, OneDnn::threads)))
                .isEqualTo(1);
        assertThat(OneDnn.<Integer>with(2, () -> OneDnn.limited(false, OneDnn::threads)))
                .isEqualTo(2);
    }

    @Test
    void results_are_the_same_in_every_run_with_one_number_of_threads() {
        Numbers a = Numbers.random(1, 96, 300);
        Numbers b = Numbers.random(2, 300, 130);
        Numbers dst = Numbers.zeros(96, 130);
        Kernel kernel = OneDnn.with(2, () -> new Kernels().matmul(a.operand, b.operand, null, dst.operand, 1, false));
        kernel.run();
        double[] first = dst.values();
        for (int i = 0; i < 20; i++) {
            dst.fill(() -> 0);
            kernel.run();
            dst.isCloseTo(first, 0);
        }
    }

    @Test
    void kernels_of_one_thread_may_run_on_several() throws InterruptedException {
        int[] order = {1, 0};
        Numbers x = Numbers.ordered(order, 40, 50).randomise(1);
        double[] expected = SoftmaxTest.softmax(x.values(), 50);
        Numbers[] results = new Numbers[4];
        Kernel[] kernels = new Kernel[4];
        for (int i = 0; i < 4; i++) {
            results[i] = Numbers.ordered(order, 40, 50);
            kernels[i] = new LayerKernels().softmax(x.operand, results[i].operand);
        }
        Thread[] threads = new Thread[4];
        for (int i = 0; i < 4; i++) {
            Kernel kernel = kernels[i];
            threads[i] = new Thread(() -> {
                for (int run = 0; run < 200; run++) {
                    kernel.run();
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (Numbers result : results) {
            result.isCloseTo(expected, 1e-6);
        }
    }
}
