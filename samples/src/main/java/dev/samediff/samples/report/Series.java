package dev.samediff.samples.report;

import java.util.ArrayList;
import java.util.List;

/**
 * One curve of a chart.
 *
 * @param name what the legend calls it
 * @param points the points from left to right; those that are not finite are left out
 * @param emphasis how it is drawn
 */
public record Series(String name, List<Point> points, Emphasis emphasis) {
    /** A measured pair of numbers. */
    public record Point(double x, double y) {
        boolean isFinite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }
    }

    /** How a curve is drawn. */
    public enum Emphasis {
        /** A line: many points. */
        LINE,
        /** A line with a dot at every point: few, separately measured points. */
        DOTTED_POINTS,
        /** Dots without a line: unconnected measurements. */
        DOTS,
        /** A thin pale line behind the others: the raw values of a smoothed curve; not in the legend. */
        BACKGROUND
    }

    public Series {
        points = points.stream().filter(Point::isFinite).toList();
    }

    /** Returns a curve of many points. */
    public static Series line(String name, List<Point> points) {
        return new Series(name, points, Emphasis.LINE);
    }

    /** Returns a curve of few points, each marked. */
    public static Series marked(String name, List<Point> points) {
        return new Series(name, points, Emphasis.DOTTED_POINTS);
    }

    /** Returns unconnected measurements. */
    public static Series dots(String name, List<Point> points) {
        return new Series(name, points, Emphasis.DOTS);
    }

    /** Returns this curve as a pale background. */
    public Series asBackground() {
        return new Series(name, points, Emphasis.BACKGROUND);
    }

    /**
     * Returns the exponential moving average, corrected for its start as in Adam.
     *
     * @param decay weight of the past, 0 to below 1
     */
    public Series smoothed(double decay) {
        List<Point> smooth = new ArrayList<>(points.size());
        double average = 0;
        double weight = 0;
        for (Point point : points) {
            average = decay * average + (1 - decay) * point.y();
            weight = decay * weight + (1 - decay);
            smooth.add(new Point(point.x(), average / weight));
        }
        return new Series(name, smooth, emphasis);
    }
}
