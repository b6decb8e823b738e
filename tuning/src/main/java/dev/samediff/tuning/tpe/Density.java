package dev.samediff.tuning.tpe;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** A distribution on the unit interval that was estimated from points. */
interface Density {
    /** Draws a point; of values in cells the middle of one. */
    double sample(RandomGenerator random);

    /** Returns the logarithm of the density at a point; of values in cells that of the probability of its cell. */
    double logAt(double u);

    /**
     * Estimates from points. They are one part, a prior that knows nothing is the other: see {@link Kernels#weights}.
     *
     * @param points coordinates of the trials, the oldest first
     */
    static Density of(Dimension dimension, double[] points) {
        if (dimension instanceof Dimension.Choice choice) {
            return new ChoiceDensity(choice.count(), points);
        }
        if (dimension instanceof Dimension.Whole whole) {
            Cells cells = new Cells(whole.count());
            return new WholeDensity(
                    cells,
                    Kernels.around(Arrays.stream(points).map(cells::align).toArray()));
        }
        return new ContinuousDensity(Kernels.around(points));
    }
}
