package dev.samediff.tuning.tpe;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Tree-structured Parzen estimator (Bergstra et al. 2011), each direction by itself: of n observations the best
 * ceil(n / 10), 25 at most, make the density l, the others the density g; of 24 points drawn from l the one with the largest
 * l / g is taken, the first of equal ones.
 *
 * <p>The densities are those of Optuna's {@code TPESampler} with its defaults: {@code consider_prior}, {@code prior_weight=1},
 * {@code consider_magic_clip}, not {@code consider_endpoints}, {@code default_weights} (older observations weigh less),
 * {@code default_gamma}, {@code n_ei_candidates=24}, not {@code multivariate}. {@code TpeDensityTest} compares them with a
 * table in float64, whose script compares itself with Optuna. Two things are said where Optuna leaves them open: equal
 * observations keep their order, and so do equally good ones. Random numbers are Java's, so that single points differ.
 */
public final class ParzenEstimator {
    private static final int CANDIDATES = 24;
    private static final int GOOD_SHARE = 10;
    private static final int MOST_GOOD = 25;

    private final List<Dimension> dimensions;

    /** Creates an estimator for a cube of these directions. */
    public ParzenEstimator(List<Dimension> dimensions) {
        this.dimensions = List.copyOf(dimensions);
    }

    /**
     * Returns the next point to try, coordinates from 0 to 1.
     *
     * @param observations what was tried, the oldest first
     * @param random source of random numbers
     */
    public double[] suggest(List<Observation> observations, RandomGenerator random) {
        Set<Integer> good = good(observations);
        double[] point = new double[dimensions.size()];
        for (int d = 0; d < point.length; d++) {
            Density best = density(d, observations, good, true);
            Density rest = density(d, observations, good, false);
            point[d] = choose(best, rest, random);
        }
        return point;
    }

    /** Returns the places of the best observations. */
    private static Set<Integer> good(List<Observation> observations) {
        int n = observations.size();
        return new HashSet<>(IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> observations.get(i).rank()))
                .limit(goodOf(n))
                .toList());
    }

    /** Returns how many of so many observations are good. */
    static int goodOf(int observations) {
        return Math.min(MOST_GOOD, (observations + GOOD_SHARE - 1) / GOOD_SHARE);
    }

    private Density density(int dimension, List<Observation> observations, Set<Integer> good, boolean best) {
        return Density.of(
                dimensions.get(dimension),
                IntStream.range(0, observations.size())
                        .filter(i -> good.contains(i) == best)
                        .mapToDouble(i -> observations.get(i).along(dimension))
                        .filter(Double::isFinite)
                        .toArray());
    }

    private static double choose(Density best, Density rest, RandomGenerator random) {
        double chosen = Double.NaN;
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
}
