package dev.samediff.tuning.tpe;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Probabilities of values without an order. With n points and k values, a point gives its value (1 + 1 / (n + 1)) and each
 * other one 1 / (n + 1), divided by their sum 1 + k / (n + 1); the prior gives all the same.
 */
final class ChoiceDensity implements Density {
    private final Cells cells;
    private final double[] probabilities;

    ChoiceDensity(int count, double[] points) {
        cells = new Cells(count);
        probabilities = new double[count];
        double[] weights = Kernels.weights(points.length);
        double even = 1.0 / (points.length + 1);
        double sum = 1 + count * even;
        Arrays.fill(probabilities, weights[points.length] / count);
        for (int i = 0; i < points.length; i++) {
            for (int value = 0; value < count; value++) {
                probabilities[value] += weights[i] * even / sum;
            }
            probabilities[(int) cells.of(points[i])] += weights[i] / sum;
        }
    }

    @Override
    public double sample(RandomGenerator random) {
        return cells.middle(Kernels.draw(probabilities, random));
    }

    @Override
    public double logAt(double u) {
        return Math.log(probabilities[(int) cells.of(u)]);
    }
}
