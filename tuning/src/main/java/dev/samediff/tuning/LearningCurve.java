package dev.samediff.tuning;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * What a trial reported on its way, lower is better.
 *
 * @param points the reports in order, steps ascending
 */
public record LearningCurve(List<Point> points) implements Serializable {
    /** A curve without reports. */
    public static final LearningCurve EMPTY = new LearningCurve(List.of());

    /** A value after so many steps. */
    public record Point(long step, double value) implements Serializable {}

    public LearningCurve {
        points = List.copyOf(points);
    }

    /** Returns the last report. */
    public Optional<Point> last() {
        return points.isEmpty() ? Optional.empty() : Optional.of(points.get(points.size() - 1));
    }

    /** Returns the first report at or after a step. */
    public Optional<Point> from(long step) {
        return points.stream().filter(point -> point.step() >= step).findFirst();
    }
}
