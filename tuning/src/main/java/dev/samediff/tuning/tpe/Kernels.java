package dev.samediff.tuning.tpe;

import java.util.Arrays;
import java.util.Comparator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.apache.commons.math3.special.Erf;

/**
 * Normal distributions on the unit interval, cut off at its ends: one around every point, and the prior, around the middle and
 * as wide as the interval.
 *
 * @param centres means, in the order of the points; the prior's last
 * @param widths standard deviations
 * @param masses what of each lies in the interval before it is cut off
 * @param weights shares, of sum 1
 */
record Kernels(double[] centres, double[] widths, double[] masses, double[] weights) {
    private static final double MOST_PARTS = 100;
    private static final int RECENT = 25;
    private static final double ROOT_TWO = Math.sqrt(2);
    private static final double ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

    /**
     * Returns the kernels of points. Each is as wide as the larger of the gaps to its neighbours, the prior's centre among
     * them; the outermost ones have a single neighbour, the ends of the interval are none. No kernel is wider than the
     * interval, nor narrower than its hundredth or, with few kernels, one part of (kernels + 1).
     *
     * @param points the oldest first
     */
    static Kernels around(double[] points) {
        int prior = points.length;
        double[] centres = Arrays.copyOf(points, prior + 1);
        centres[prior] = 0.5;
        int[] order = IntStream.range(0, centres.length) // stable: equal centres stay in the order of the trials
                .boxed()
                .sorted(Comparator.comparingDouble(i -> centres[i]))
                .mapToInt(i -> i)
                .toArray();
        double narrowest = 1 / Math.min(MOST_PARTS, 1.0 + centres.length);
        double[] widths = new double[centres.length];
        for (int place = 0; place < order.length; place++) {
            double left = place == 0 ? 0 : centres[order[place]] - centres[order[place - 1]];
            double right = place == order.length - 1 ? 0 : centres[order[place + 1]] - centres[order[place]];
            widths[order[place]] = Math.min(1, Math.max(narrowest, Math.max(left, right)));
        }
        widths[prior] = 1;
        double[] masses = new double[centres.length];
        Arrays.setAll(masses, i -> mass(centres[i], widths[i], 0, 1));
        return new Kernels(centres, widths, masses, weights(prior));
    }

    /**
     * Returns the shares of points and of the prior, which stands last: 1 for the prior and each of the latest 25 points; of
     * those before, the oldest of n has 1 / n, the youngest 1, and between them the shares rise evenly. Then all are divided by
     * their sum.
     *
     * @param points number of points; the first is the oldest
     */
    static double[] weights(int points) {
        double[] weights = new double[points + 1];
        Arrays.fill(weights, 1);
        int old = points - RECENT;
        for (int i = 0; i < old; i++) {
            double first = 1.0 / points;
            weights[i] = old == 1 ? first : first + (1 - first) * i / (old - 1);
        }
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / sum).toArray();
    }

    /** Draws from a distribution over indices. */
    static int draw(double[] shares, RandomGenerator random) {
        double rest = random.nextDouble();
        int index = 0;
        while (index < shares.length - 1 && rest >= shares[index]) {
            rest -= shares[index++];
        }
        return index;
    }

    double sample(RandomGenerator random) {
        int i = draw(weights, random);
        double u;
        do {
            u = centres[i] + widths[i] * random.nextGaussian();
        } while (u < 0 || u > 1);
        return u;
    }

    double densityAt(double u) {
        double sum = 0;
        for (int i = 0; i < centres.length; i++) {
            double z = (u - centres[i]) / widths[i];
            sum += weights[i] * Math.exp(-z * z / 2) / (widths[i] * ROOT_TWO_PI * masses[i]);
        }
        return sum;
    }

    double massIn(double low, double high) {
        double sum = 0;
        for (int i = 0; i < centres.length; i++) {
            sum += weights[i] * mass(centres[i], widths[i], low, high) / masses[i];
        }
        return sum;
    }

    private static double mass(double centre, double width, double low, double high) {
        double scale = width * ROOT_TWO;
        return Erf.erf((low - centre) / scale, (high - centre) / scale) / 2;
    }
}
