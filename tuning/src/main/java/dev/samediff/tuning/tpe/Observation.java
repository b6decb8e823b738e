package dev.samediff.tuning.tpe;

/**
 * A point of the unit cube and how good it was.
 *
 * @param point coordinates; NaN where the parameter did not exist
 * @param rank order of goodness: lower is better
 */
public record Observation(double[] point, double rank) {
    public Observation {
        point = point.clone();
    }

    @Override
    public double[] point() {
        return point.clone();
    }

    double along(int dimension) {
        return point[dimension];
    }
}
