package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.ReduceKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkspaceTest {
    private static final int LENGTH = 200;

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    /** The operands of an attention and of its gradient, and the kernels. */
    private static final class Layer {
        private static final long[] SHAPE = {2, 3, LENGTH, 8};
        private final Numbers q;
        private final Numbers k;
        private final Numbers v;
        private final Numbers dOut;
        private final Numbers[] results = {
            Numbers.zeros(SHAPE), Numbers.zeros(SHAPE), Numbers.zeros(SHAPE), Numbers.zeros(SHAPE)
        };
        private final List<Kernel> kernels = new ArrayList<>();

        Layer(int seed, Workspace workspace, double scale, Operand mask) {
            q = Numbers.random(seed, SHAPE);
            k = Numbers.random(seed + 1, SHAPE);
            v = Numbers.random(seed + 2, SHAPE);
            dOut = Numbers.random(seed + 3, SHAPE);
            LayerKernels layers = new LayerKernels(workspace);
            kernels.add(layers.attention(q.operand, k.operand, v.operand, mask, scale, results[0].operand));
            kernels.add(layers.attentionGrad(
                    dOut.operand,
                    q.operand,
                    k.operand,
                    v.operand,
                    mask,
                    scale,
                    results[1].operand,
                    results[2].operand,
                    results[3].operand));
        }

        double[][] run() {
            kernels.forEach(Kernel::run);
            double[][] values = new double[results.length][];
            for (int i = 0; i < values.length; i++) {
                values[i] = results[i].values();
            }
            return values;
        }
    }

    private static Numbers causal() {
        double[] values = new double[LENGTH * LENGTH];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % LENGTH > i / LENGTH ? -1e9 : 0;
        }
        return Numbers.zeros(1, 1, LENGTH, LENGTH).set(values);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void layers_that_share_working_memory_and_tiles_compute_what_each_alone_does(int threads) {
        Threads.with(threads, () -> {
            Numbers causal = causal();
            Numbers open = Numbers.random(50, 1, 1, LENGTH, LENGTH);
            Workspace shared = new Workspace();
            List<Layer> together = new ArrayList<>();
            List<Layer> alone = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                double scale = i < 4 ? 0.3 : 0.7;
                Operand mask = i % 2 == 0 ? causal.operand : open.operand;
                together.add(new Layer(10 * i, shared, scale, mask));
                alone.add(new Layer(10 * i, new Workspace(), scale, mask));
            }
            for (int repetition = 0; repetition < 2; repetition++) {
                for (int i = 0; i < together.size(); i++) {
                    assertThat(together.get(i).run()).isDeepEqualTo(alone.get(i).run());
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void more_layers_take_no_more_memory(int threads) {
        Threads.with(threads, () -> {
            Operand mask = causal().operand;
            Workspace workspace = new Workspace();
            new Layer(1, workspace, 0.3, mask);
            long one = workspace.bytes();
            for (int i = 0; i < 5; i++) {
                new Layer(1, workspace, 0.3, mask);
            }
            assertThat(workspace.bytes()).isEqualTo(one);
        });
    }

    @Test
    void bytes_are_those_of_the_largest_kernel_and_of_all_constants_and_end_with_it() {
        Workspace workspace = new Workspace();
        Kernels kernels = new Kernels(workspace);
        Numbers small = Numbers.ordered(new int[] {1, 0}, 10, 20);
        Numbers large = Numbers.ordered(new int[] {1, 0}, 100, 200).randomise(1);
        Kernel[] made = {
            kernels.reduce(ReduceKind.SUM, large.operand, Numbers.zeros(1, 1).operand),
            kernels.reduce(ReduceKind.SUM, small.operand, Numbers.zeros(1, 1).operand),
            kernels.fill(2, large.operand)
        };
        assertThat(workspace.bytes()).isBetween(100 * 200 * 4L, 2 * 100 * 200 * 4L);
        for (Kernel kernel : made) {
            kernel.run();
        }
        workspace.close();
        assertThat(workspace.bytes()).isZero();
        for (Kernel kernel : made) {
            assertThatThrownBy(kernel::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no place in memory");
        }
    }

    @Test
    void equal_constants_are_one_and_different_ones_are_not_mixed_up() {
        Workspace workspace = new Workspace();
        Kernels kernels = new Kernels(workspace);
        Numbers a = Numbers.zeros(3);
        for (double value : new double[] {0.0, -0.0, 1, 2, 1}) {
            kernels.fill(value, a.operand).run();
            assertThat(a.values()).containsOnly(value);
        }
        assertThat(workspace.bytes()).isEqualTo(4 * 4);
    }
}
