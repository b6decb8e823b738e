package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Operand;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** One pass of AdamW over all parameters. */
class AdamWUpdateTest {
    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    @Test
    void adamw_moves_parameters_as_pytorch_defines_it() {
        int[] lengths = {1, 7, 5000};
        AdamWUpdate update = new AdamWUpdate(0.9, 0.999, 1e-8);
        Numbers[][] all = new Numbers[lengths.length][];
        double[][] p = new double[lengths.length][];
        double[][] m = new double[lengths.length][];
        double[][] v = new double[lengths.length][];
        for (int i = 0; i < lengths.length; i++) {
            int n = lengths[i];
            all[i] =
                    new Numbers[] {Numbers.random(i, n), Numbers.random(10 + i, n), Numbers.zeros(n), Numbers.zeros(n)};
            p[i] = all[i][0].values();
            m[i] = new double[n];
            v[i] = new double[n];
            update.add(all[i][0].operand, all[i][1].operand, all[i][2].operand, all[i][3].operand);
        }
        for (int step = 1; step <= 3; step++) {
            double rate = 0.01 * step;
            assertThat(update.run(step, rate, 0.1, 0.5)).isTrue();
            for (int i = 0; i < lengths.length; i++) {
                double[] g = Arrays.stream(all[i][1].values()).map(x -> x * 0.5).toArray();
                for (int j = 0; j < g.length; j++) {
                    p[i][j] *= 1 - rate * 0.1;
                    m[i][j] = 0.9 * m[i][j] + 0.1 * g[j];
                    v[i][j] = 0.999 * v[i][j] + 0.001 * g[j] * g[j];
                    double mean = m[i][j] / (1 - Math.pow(0.9, step));
                    double root = Math.sqrt(v[i][j] / (1 - Math.pow(0.999, step)));
                    p[i][j] -= rate * mean / (root + 1e-8);
                }
                all[i][0].isCloseTo(p[i], 1e-6);
                all[i][2].isCloseTo(m[i], 1e-6);
                all[i][3].isCloseTo(v[i], 1e-5);
                for (Numbers numbers : all[i]) {
                    numbers.move();
                }
            }
        }
        assertThat(update.run(4, 1e39, 0, 1)).as("all finite after an overflow").isFalse();
        Operand few = Operand.dense(DataType.FLOAT, 3);
        assertThatThrownBy(() -> update.add(all[1][0].operand, few, few, few))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tensors of one length");
    }
}
