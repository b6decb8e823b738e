package dev.samediff.tuning.tpe;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** A distribution on the unit interval that was estimated from points. */
interface Density {
    /** Draws a point. */
    double sample(RandomGenerator random);

    /** Returns the logarithm of the density at a point. */
    double logAt(double u);

    /** Estimates from points; the uniform distribution takes part with the weight of one point. */
    static Density of(Dimension dimension, double[] points) {
        return dimension.levels() > 0 ? new Levels(dimension.levels(), points) : new Mixture(points);
    }

    /** Counts of equally wide levels, each started with an equal part of one point. */
    final class Levels implements Density {
        private final double[] weights;

        Levels(int levels, double[] points) {
            weights = new double[levels];
            Arrays.fill(weights, 1.0 / levels);
            for (double u : points) {
                weights[level(u)]++;
            }
            double sum = points.length + 1;
            for (int i = 0; i < levels; i++) {
                weights[i] /= sum;
            }
        }

        private int level(double u) {
            return Math.min(weights.length - 1, (int) (u * weights.length));
        }

        @Override
        public double sample(RandomGenerator random) {
            double rest = random.nextDouble();
            int level = 0;
            while (level < weights.length - 1 && rest >= weights[level]) {
                rest -= weights[level++];
            }
            return (level + 0.5) / weights.length;
        }

        @Override
        public double logAt(double u) {
            return Math.log(weights[level(u)] * weights.length);
        }
    }

    /**
     * Normal distributions around the points, cut off at 0 and 1; each as wide as the larger gap to its neighbours, within
     * limits that shrink with the number of points. One around the middle, of width 1, stands for the uniform distribution.
     */
    final class Mixture implements Density {
        private static final double LEAST_POINTS = 100;

        private final double[] centres;
        private final double[] widths;

        Mixture(double[] points) {
            centres = Arrays.copyOf(points, points.length + 1);
            centres[points.length] = 0.5;
            Arrays.sort(centres);
            int middle = Arrays.binarySearch(centres, 0.5);
            widths = new double[centres.length];
            double narrowest = 1 / Math.min(LEAST_POINTS, 1.0 + centres.length);
            for (int i = 0; i < centres.length; i++) {
                double left = centres[i] - (i == 0 ? 0 : centres[i - 1]);
                double right = (i == centres.length - 1 ? 1 : centres[i + 1]) - centres[i];
                widths[i] = i == middle ? 1 : Math.min(1, Math.max(narrowest, Math.max(left, right)));
            }
        }

        @Override
        public double sample(RandomGenerator random) {
            int i = random.nextInt(centres.length);
            double u;
            do {
                u = centres[i] + widths[i] * random.nextGaussian();
            } while (u < 0 || u > 1);
            return u;
        }

        @Override
        public double logAt(double u) {
            double sum = 0;
            for (int i = 0; i < centres.length; i++) {
                double z = (u - centres[i]) / widths[i];
                double mass = normal((1 - centres[i]) / widths[i]) - normal(-centres[i] / widths[i]);
                sum += Math.exp(-z * z / 2) / (widths[i] * Math.sqrt(2 * Math.PI) * mass);
            }
            return Math.log(Math.max(sum / centres.length, Double.MIN_NORMAL));
        }

        /** Distribution function of the standard normal distribution (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
        private static double normal(double x) {
            double t = 1 / (1 + 0.2316419 * Math.abs(x));
            double series =
                    t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
            double upper = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * series;
            return x >= 0 ? 1 - upper : upper;
        }
    }
}
