package dev.samediff.tuning.tpe;

import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Tree-structured Parzen estimator (Bergstra et al. 2011), each direction by itself: of the observations the best tenth,
 * at least one, makes the density l, the others the density g; of 24 points drawn from l the one with the largest l / g is
 * taken. Defaults are Optuna's.
 */
public final class ParzenEstimator {
    private static final int CANDIDATES = 24;
    private static final double GOOD_SHARE = 0.1;
    private static final int MOST_GOOD = 25;

    private final List<Dimension> dimensions;

    /** Creates an estimator for a cube of these directions. */
    public ParzenEstimator(List<Dimension> dimensions) {
        this.dimensions = List.copyOf(dimensions);
    }

    /** Returns the next point to try, coordinates from 0 to 1. */
    public double[] suggest(List<Observation> observations, RandomGenerator random) {
        List<double[]> sorted = observations.stream()
                .sorted(Comparator.comparingDouble(Observation::rank))
                .map(Observation::point)
                .toList();
        int good = Math.min(MOST_GOOD, (int) Math.ceil(GOOD_SHARE * sorted.size()));
        double[] point = new double[dimensions.size()];
        for (int d = 0; d < point.length; d++) {
            Density best = Density.of(dimensions.get(d), along(sorted.subList(0, good), d));
            Density rest = Density.of(dimensions.get(d), along(sorted.subList(good, sorted.size()), d));
            point[d] = choose(best, rest, random);
        }
        return point;
    }

    private static double choose(Density best, Density rest, RandomGenerator random) {
        double chosen = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < CANDIDATES; i++) {
            double u = best.sample(random);
            double ratio = best.logAt(u) - rest.logAt(u);
            if (ratio > largest) {
                largest = ratio;
                chosen = u;
            }
        }
        return chosen;
    }

    private static double[] along(List<double[]> points, int dimension) {
        return points.stream()
                .mapToDouble(point -> point[dimension])
                .filter(Double::isFinite)
                .toArray();
    }
}
