package dev.samediff.samples.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Curves over a common axis, drawn as SVG. Colours are the CSS variables {@code --ink}, {@code --faint} and
 * {@code --series-0} to {@code --series-5}, so that a page can be light or dark.
 *
 * @param title heading, also read out by screen readers
 * @param xLabel what the horizontal axis counts
 * @param yLabel what the vertical axis measures
 * @param series the curves; one and its background may share a name and then share a colour
 */
public record LineChart(String title, String xLabel, String yLabel, List<Series> series) {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 340;
    private static final int LEFT = 62;
    private static final int RIGHT = 14;
    private static final int TOP = 34;
    private static final int BOTTOM = 48;
    private static final int COLOURS = 6;
    private static final int LEGEND_LINE = 18;

    public LineChart {
        series = List.copyOf(series);
    }

    /** Returns an {@code <svg>} element, well-formed XML. */
    public String svg() {
        Axis x = Axis.covering(all(true), LEFT, WIDTH - RIGHT);
        Axis y = Axis.covering(all(false), HEIGHT - BOTTOM, TOP);
        StringBuilder svg = new StringBuilder();
        svg.append(Svg.open(WIDTH, HEIGHT, title));
        svg.append(Svg.text(LEFT, 18, "start", "chart-title", title));
        svg.append(grid(x, y));
        List<String> names = series.stream().map(Series::name).distinct().toList();
        Stream.concat(only(true), only(false))
                .forEach(one -> svg.append(curve(one, names.indexOf(one.name()) % COLOURS, x, y)));
        svg.append(legend(only(false).map(Series::name).toList(), names));
        return svg.append("</svg>\n").toString();
    }

    private double[] all(boolean horizontal) {
        return series.stream()
                .flatMap(one -> one.points().stream())
                .mapToDouble(point -> horizontal ? point.x() : point.y())
                .toArray();
    }

    private Stream<Series> only(boolean background) {
        return series.stream().filter(one -> (one.emphasis() == Series.Emphasis.BACKGROUND) == background);
    }

    private String grid(Axis x, Axis y) {
        StringBuilder grid = new StringBuilder();
        for (double tick : y.ticks()) {
            grid.append(Svg.line(LEFT, y.pixel(tick), WIDTH - RIGHT, y.pixel(tick)));
            grid.append(Svg.text(LEFT - 8, y.pixel(tick) + 4, "end", "tick", y.label(tick)));
        }
        for (double tick : x.ticks()) {
            grid.append(Svg.line(x.pixel(tick), HEIGHT - BOTTOM, x.pixel(tick), HEIGHT - BOTTOM + 5));
            grid.append(Svg.text(x.pixel(tick), HEIGHT - BOTTOM + 19, "middle", "tick", x.label(tick)));
        }
        grid.append(Svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8, "middle", "axis", xLabel));
        double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        grid.append(String.format(Locale.ROOT, "<g transform=\"translate(14 %.1f) rotate(-90)\">", middle))
                .append(Svg.text(0, 0, "middle", "axis", yLabel).stripTrailing())
                .append("</g>\n");
        return grid.toString();
    }

    private static String curve(Series one, int colour, Axis x, Axis y) {
        String points = one.points().stream()
                .map(point -> String.format(Locale.ROOT, "%.1f,%.1f", x.pixel(point.x()), y.pixel(point.y())))
                .collect(Collectors.joining(" "));
        boolean pale = one.emphasis() == Series.Emphasis.BACKGROUND;
        String look = String.format(
                Locale.ROOT,
                "fill=\"none\" stroke=\"var(--series-%d)\" stroke-width=\"%s\" stroke-opacity=\"%s\"",
                colour,
                pale ? "1" : "2",
                pale ? "0.3" : "1");
        boolean line = one.emphasis() != Series.Emphasis.DOTS;
        StringBuilder curve = new StringBuilder(line ? "<polyline points=\"" + points + "\" " + look + "/>\n" : "");
        if (!line
                || one.emphasis() == Series.Emphasis.DOTTED_POINTS
                || (!pale && one.points().size() == 1)) {
            one.points().forEach(point -> curve.append(dot(x.pixel(point.x()), y.pixel(point.y()), colour)));
        }
        return curve.toString();
    }

    private static String legend(List<String> shown, List<String> names) {
        StringBuilder legend = new StringBuilder();
        int longest = shown.stream().mapToInt(String::length).max().orElse(0);
        double left = WIDTH - RIGHT - 26 - 7.0 * longest;
        for (int i = 0; i < shown.size(); i++) {
            double height = TOP + 12 + LEGEND_LINE * i;
            int colour = names.indexOf(shown.get(i)) % COLOURS;
            legend.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"4\" rx=\"2\" fill=\"var(--series-%d)\"/>\n",
                    left,
                    height - 6,
                    colour));
            legend.append(Svg.text(left + 20, height, "start", "legend", shown.get(i)));
        }
        return legend.toString();
    }

    private static String dot(double x, double y, int colour) {
        return String.format(
                Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"var(--series-%d)\"/>\n", x, y, colour);
    }
}
