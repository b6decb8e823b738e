package dev.samediff.samples.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/** The range of one direction of a chart, with ticks at round numbers; maps values to pixels. */
final class Axis {
    private static final int MOST_TICKS = 7;
    private static final double[] ROUND_STEPS = {1, 2, 2.5, 5, 10};

    private final double low;
    private final double high;
    private final double step;
    private final double pixelOfLow;
    private final double pixelOfHigh;

    private Axis(double low, double high, double step, double pixelOfLow, double pixelOfHigh) {
        this.low = low;
        this.high = high;
        this.step = step;
        this.pixelOfLow = pixelOfLow;
        this.pixelOfHigh = pixelOfHigh;
    }

    /** Covers all values, from one tick to another; whole values have whole ticks. */
    static Axis covering(double[] values, double pixelOfLow, double pixelOfHigh) {
        double least = DoubleStream.of(values).min().orElse(0);
        double most = DoubleStream.of(values).max().orElse(1);
        if (least == most) {
            double margin = least == 0 ? 1 : Math.abs(least) / 2;
            least -= margin;
            most += margin;
        }
        double step = roundStep((most - least) / (MOST_TICKS - 1));
        if (DoubleStream.of(values).allMatch(value -> value == Math.rint(value))) {
            step = Math.max(1, step);
        }
        return new Axis(Math.floor(least / step) * step, Math.ceil(most / step) * step, step, pixelOfLow, pixelOfHigh);
    }

    double pixel(double value) {
        return pixelOfLow + (value - low) / (high - low) * (pixelOfHigh - pixelOfLow);
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        long count = Math.round((high - low) / step);
        for (long i = 0; i <= count; i++) {
            ticks.add(low + i * step);
        }
        return ticks;
    }

    /** Returns the tick's number with just the decimals that the step needs. */
    String label(double tick) {
        int decimals = Math.max(0, 1 - (int) Math.floor(Math.log10(step)));
        BigDecimal rounded = BigDecimal.valueOf(tick)
                .setScale(decimals, RoundingMode.HALF_EVEN)
                .stripTrailingZeros();
        return rounded.signum() == 0 ? "0" : rounded.toPlainString();
    }

    private static double roundStep(double atLeast) {
        double power = Math.pow(10, Math.floor(Math.log10(atLeast)));
        for (double factor : ROUND_STEPS) {
            if (factor * power >= atLeast * (1 - 1e-9)) {
                return factor * power;
            }
        }
        return 10 * power;
    }
}
