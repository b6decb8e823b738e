package dev.samediff.tuning.tpe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ParzenEstimatorTest {
    private static final double[][] POINTS = {{}, {0.5}, {0, 1}, {0.1, 0.11, 0.9}, {0.3, 0.3, 0.3}, many()};

    @Test
    void densities_integrate_to_one() {
        for (double[] points : POINTS) {
            Density density = Density.of(new Dimension.Continuous(), points);
            int n = 20_000;
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += Math.exp(density.logAt((i + 0.5) / n)) / n;
            }
            assertThat(sum).isCloseTo(1, within(1e-6));
        }
    }

    @Test
    void probabilities_of_whole_numbers_and_choices_sum_to_one() {
        for (double[] points : POINTS) {
            for (Dimension dimension :
                    List.of(new Dimension.Whole(7), new Dimension.Whole(100), new Dimension.Choice(5))) {
                Density density = Density.of(dimension, points);
                int count = dimension instanceof Dimension.Whole whole ? (int) whole.count() : 5;
                double sum = 0;
                for (int i = 0; i < count; i++) {
                    sum += Math.exp(density.logAt((i + 0.5) / count));
                }
                assertThat(sum).isCloseTo(1, within(1e-12));
            }
        }
    }

    @Test
    void samples_follow_the_density() {
        for (Dimension dimension :
                List.of(new Dimension.Continuous(), new Dimension.Whole(10), new Dimension.Choice(10))) {
            for (double[] points : List.of(new double[] {0.05, 0.25, 0.25, 0.75}, many())) {
                requireFollowed(Density.of(dimension, points), dimension instanceof Dimension.Continuous);
            }
        }
    }

    private static void requireFollowed(Density density, boolean continuous) {
        SplittableRandom random = new SplittableRandom(1);
        double[] share = new double[10];
        int n = 100_000;
        for (int i = 0; i < n; i++) {
            share[Math.min(9, (int) (10 * density.sample(random)))] += 1.0 / n;
        }
        for (int bin = 0; bin < 10; bin++) {
            double expected = continuous ? 0 : Math.exp(density.logAt((bin + 0.5) / 10));
            for (int i = 0; i < 1000 && continuous; i++) {
                expected += Math.exp(density.logAt((bin + (i + 0.5) / 1000) / 10)) / 10_000;
            }
            assertThat(share[bin]).isCloseTo(expected, within(0.01));
        }
    }

    @Test
    void suggestions_lie_in_the_cube_and_in_the_middle_of_cells_for_the_widest_ranges_too() {
        ParzenEstimator estimator = new ParzenEstimator(List.of(
                new Dimension.Continuous(),
                new Dimension.Whole(1L << 31),
                new Dimension.Whole(1),
                new Dimension.Choice(3)));
        SplittableRandom random = new SplittableRandom(7);
        List<Observation> observations = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            double[] point = estimator.suggest(observations, random);
            assertThat(java.util.Arrays.stream(point).allMatch(u -> u >= 0 && u <= 1))
                    .isTrue();
            assertThat(point[2]).isEqualTo(0.5);
            assertThat(point[3] * 3 % 1).isCloseTo(0.5, within(1e-12));
            observations.add(new Observation(point, Math.abs(point[0] - 0.9) + point[1]));
        }
        assertThat(observations.subList(40, 60))
                .filteredOn(one -> Math.abs(one.along(0) - 0.9) < 0.1 && one.along(1) < 0.2)
                .hasSizeGreaterThan(10);
    }

    @Test
    void the_order_of_trials_matters_beyond_25_and_equal_ones_are_split_by_it() {
        List<Observation> observations = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            observations.add(new Observation(new double[] {i / 80.0}, 0));
        }
        ParzenEstimator estimator = new ParzenEstimator(List.of(new Dimension.Continuous()));
        double[] mean = new double[2];
        for (int seed = 0; seed < 200; seed++) {
            mean[0] += estimator.suggest(observations, new SplittableRandom(seed))[0] / 200;
        }
        Collections.reverse(observations);
        for (int seed = 0; seed < 200; seed++) {
            mean[1] += estimator.suggest(observations, new SplittableRandom(seed))[0] / 200;
        }
        assertThat(mean[0]).isLessThan(0.3); // the first eighth is good: near 0
        assertThat(mean[1]).isGreaterThan(0.7);
    }

    private static double[] many() {
        Random random = new Random(3);
        return random.doubles(70).map(u -> u * u).toArray();
    }
}
