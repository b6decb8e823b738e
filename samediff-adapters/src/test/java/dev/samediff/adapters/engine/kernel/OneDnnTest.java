package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.program.BinaryKind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OneDnnTest {
    private int before;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
        before = OneDnn.threads();
    }

    @AfterEach
    void restore() {
        OneDnn.threads(before);
    }

    @Test
    void it_says_what_it_makes_of_this_processor() {
        assertThat(OneDnn.reason()).isEmpty();
        assertThat(OneDnn.isa()).isNotBlank();
    }

    @Test
    void threads_hold_for_every_thread_that_runs_kernels() throws InterruptedException {
        OneDnn.threads(1);
        assertThat(OneDnn.threads()).isEqualTo(1);
        int[] other = new int[1];
        Thread thread = new Thread(() -> other[0] = OneDnn.threads());
        thread.start();
        thread.join();
        assertThat(other[0]).isEqualTo(1);
        OneDnn.threads(2);
        assertThat(OneDnn.threads()).isEqualTo(2);
        assertThatThrownBy(() -> OneDnn.threads(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void kernels_for_small_work_run_on_the_calling_thread_and_others_keep_theirs() {
        OneDnn.threads(2);
        assertThat(OneDnn.<Integer>limited(true, OneDnn::threads)).isEqualTo(1);
        assertThat(OneDnn.threads()).isEqualTo(2);
        assertThat(OneDnn.<Integer>limited(false, OneDnn::threads)).isEqualTo(2);
        Numbers x = Numbers.random(1, 8, 8);
        Kernel small =
                OneDnn.limited(true, () -> new Kernels().binary(BinaryKind.ADD, x.operand, x.operand, x.operand));
        small.run();
        OneDnn.restore();
        assertThat(OneDnn.threads()).isEqualTo(2);
    }

    @Test
    void results_are_the_same_in_every_run_with_one_number_of_threads() {
        OneDnn.threads(2);
        Numbers a = Numbers.random(1, 96, 300);
        Numbers b = Numbers.random(2, 300, 130);
        Numbers dst = Numbers.zeros(96, 130);
        Kernel kernel = new Kernels().matmul(a.operand, b.operand, null, dst.operand, 1, false);
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
