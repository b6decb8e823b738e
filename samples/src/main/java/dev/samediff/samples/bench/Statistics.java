package dev.samediff.samples.bench;

import java.util.Collection;

/** Statistics of repeated measurements. */
public final class Statistics {
    private Statistics() {}

    /** Returns the median, the mean of the middle two for an even number of values; NaN for none. */
    public static double median(Collection<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return Double.NaN;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
