package dev.samediff.samples.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A line for each trial across an axis for each parameter and the score, drawn as SVG; better trials are stronger, the best
 * has another colour.
 *
 * @param title heading
 * @param axes the axes from left to right
 * @param lines the trials, worst first
 */
public record ParallelCoordinates(String title, List<Axis> axes, List<Line> lines) {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 320;
    private static final int LEFT = 60;
    private static final int RIGHT = 70;
    private static final int TOP = 56;
    private static final int BOTTOM = 20;
    private static final double PALEST = 0.12;

    /**
     * One axis.
     *
     * @param name its heading
     * @param ticks labelled places
     */
    public record Axis(String name, List<Tick> ticks) {}

    /**
     * A labelled place of an axis.
     *
     * @param place from 0 below to 1 above
     * @param label its label
     */
    public record Tick(double place, String label) {}

    /**
     * One trial.
     *
     * @param places its place on each axis, from 0 below to 1 above; NaN where it has none
     * @param strength from 0, pale, to 1
     * @param best whether it is the best
     */
    public record Line(List<Double> places, double strength, boolean best) {}

    /** Returns an {@code <svg>} element, well-formed XML. */
    public String svg() {
        StringBuilder svg = new StringBuilder(Svg.open(WIDTH, HEIGHT, title));
        svg.append(Svg.text(0, 18, "start", "chart-title", title));
        lines.forEach(line -> svg.append(polyline(line)));
        for (int i = 0; i < axes.size(); i++) {
            svg.append(Svg.line(x(i), TOP, x(i), HEIGHT - BOTTOM));
            svg.append(Svg.text(x(i), TOP - 14, "middle", "axis", axes.get(i).name()));
            for (Tick tick : axes.get(i).ticks()) {
                svg.append(Svg.text(x(i) + 6, y(tick.place()) + 4, "start", "tick", tick.label()));
            }
        }
        return svg.append("</svg>\n").toString();
    }

    private String polyline(Line line) {
        String points = IntStream.range(0, axes.size())
                .filter(i -> !Double.isNaN(line.places().get(i)))
                .mapToObj(i -> String.format(
                        Locale.ROOT, "%.1f,%.1f", x(i), y(line.places().get(i))))
                .collect(Collectors.joining(" "));
        return String.format(
                Locale.ROOT,
                "<polyline points=\"%s\" fill=\"none\" stroke=\"var(--series-%d)\" stroke-width=\"%s\" stroke-opacity=\"%.2f\"/>\n",
                points,
                line.best() ? 1 : 0,
                line.best() ? "3" : "1.5",
                line.best() ? 1 : PALEST + (1 - PALEST) * line.strength() * line.strength());
    }

    private double x(int axis) {
        return LEFT + (double) (WIDTH - LEFT - RIGHT) * axis / Math.max(1, axes.size() - 1);
    }

    private static double y(double place) {
        return HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM);
    }
}
