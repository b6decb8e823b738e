package dev.samediff.samples.evaluate;

/**
 * The interval of a share that was counted, after Wilson (1927): right also for few, and for 0 or all.
 *
 * @param low its lower end
 * @param high its upper end
 */
public record Interval(double low, double high) {
    /** The normal distribution's 0.975 quantile. */
    private static final double Z = 1.959963984540054;

    /**
     * Returns the interval of 95 per cent.
     *
     * @param right how many were right
     * @param asked of how many; NaN at both ends if none
     */
    public static Interval of(int right, int asked) {
        if (asked == 0) {
            return new Interval(Double.NaN, Double.NaN);
        }
        double share = (double) right / asked;
        double middle = share + Z * Z / (2 * asked);
        double half = Z * Math.sqrt(share * (1 - share) / asked + Z * Z / (4.0 * asked * asked));
        double scale = 1 + Z * Z / asked;
        return new Interval(Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale));
    }
}
