package dev.samediff.tuning.tpe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ParzenEstimatorTest {
    @Test
    void densities_integrate_to_one() {
        for (double[] points : new double[][] {{}, {0.5}, {0, 1}, {0.1, 0.11, 0.9}, {0.3, 0.3, 0.3}}) {
            for (Dimension dimension : new Dimension[] {new Dimension(0), new Dimension(5)}) {
                Density density = Density.of(dimension, points);
                double sum = 0;
                int n = 20_000;
                for (int i = 0; i < n; i++) {
                    sum += Math.exp(density.logAt((i + 0.5) / n)) / n;
                }
                assertThat(sum).isCloseTo(1, within(1e-4));
            }
        }
    }

    @Test
    void samples_follow_the_density() {
        for (Dimension dimension : new Dimension[] {new Dimension(0), new Dimension(10)}) {
            Density density = Density.of(dimension, new double[] {0.05, 0.25, 0.25, 0.75});
            SplittableRandom random = new SplittableRandom(1);
            double[] share = new double[10];
            int n = 100_000;
            for (int i = 0; i < n; i++) {
                share[Math.min(9, (int) (10 * density.sample(random)))] += 1.0 / n;
            }
            for (int bin = 0; bin < 10; bin++) {
                double expected = 0;
                for (int i = 0; i < 1000; i++) {
                    expected += Math.exp(density.logAt((bin + (i + 0.5) / 1000) / 10)) / 10_000;
                }
                assertThat(share[bin]).isCloseTo(expected, within(0.01));
            }
        }
    }
}
