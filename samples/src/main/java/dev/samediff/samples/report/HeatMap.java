package dev.samediff.samples.report;

import dev.samediff.samples.output.Numbers;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * A value for each pair of two parameters' values, lower is darker, drawn as SVG.
 *
 * @param title heading
 * @param xLabel what the columns are
 * @param yLabel what the rows are
 * @param columns names of the columns
 * @param rows names of the rows, from below
 * @param values a list per row of a value per column; NaN where nothing was measured
 */
public record HeatMap(
        String title,
        String xLabel,
        String yLabel,
        List<String> columns,
        List<String> rows,
        List<List<Double>> values) {
    private static final int WIDTH = 760;
    private static final int LEFT = 126;
    private static final int TOP = 34;
    private static final int BOTTOM = 48;
    private static final int CELL = 44;
    private static final double PALEST = 0.08;

    /** Returns an {@code <svg>} element, well-formed XML. */
    public String svg() {
        int height = TOP + CELL * rows.size() + BOTTOM;
        double width = (double) (WIDTH - LEFT - 14) / columns.size();
        StringBuilder svg = new StringBuilder(Svg.open(WIDTH, height, title));
        svg.append(Svg.text(LEFT, 18, "start", "chart-title", title));
        for (int row = 0; row < rows.size(); row++) {
            double y = TOP + CELL * (rows.size() - 1.0 - row);
            svg.append(Svg.text(LEFT - 8, y + CELL / 2.0 + 4, "end", "tick", rows.get(row)));
            for (int column = 0; column < columns.size(); column++) {
                svg.append(cell(LEFT + width * column, y, width, values.get(row).get(column)));
            }
        }
        for (int column = 0; column < columns.size(); column++) {
            double x = LEFT + width * (column + 0.5);
            svg.append(Svg.text(x, TOP + CELL * rows.size() + 18.0, "middle", "tick", columns.get(column)));
        }
        svg.append(Svg.text((LEFT + WIDTH) / 2.0, height - 8.0, "middle", "axis", xLabel));
        svg.append(String.format(
                        Locale.ROOT,
                        "<g transform=\"translate(12 %.1f) rotate(-90)\">",
                        TOP + CELL * rows.size() / 2.0))
                .append(Svg.text(0, 0, "middle", "axis", yLabel).stripTrailing())
                .append("</g>\n");
        return svg.append("</svg>\n").toString();
    }

    private String cell(double x, double y, double width, double value) {
        if (Double.isNaN(value)) {
            return rectangle(x, y, width, "var(--panel)", 1);
        }
        double opacity = PALEST + (1 - PALEST) * darkness(value);
        String ink = opacity > 0.55 ? "var(--paper)" : "var(--ink)";
        return rectangle(x, y, width, "var(--series-0)", opacity)
                + Svg.text(x + width / 2, y + CELL / 2.0 + 4, "middle", "cell", Numbers.decimal(value, 3))
                        .replace("var(--ink)", ink);
    }

    /** 1 for the lowest value, 0 for the highest, in the order of the values: one very high one does not hide the others. */
    private double darkness(double value) {
        double[] all = values().stream()
                .flatMap(row -> row.stream())
                .mapToDouble(Double::doubleValue)
                .filter(one -> !Double.isNaN(one))
                .toArray();
        long above = DoubleStream.of(all).filter(one -> one > value).count();
        return all.length < 2 ? 1 : (double) above / (all.length - 1);
    }

    private static String rectangle(double x, double y, double width, String fill, double opacity) {
        return String.format(
                Locale.ROOT,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\" fill-opacity=\"%.2f\"/>\n",
                x + 1,
                y + 1,
                width - 2,
                CELL - 2,
                fill,
                opacity);
    }

    /** Returns whether anything was measured. */
    public boolean isEmpty() {
        Stream<Double> all = values.stream().flatMap(List::stream);
        return all.allMatch(value -> value.isNaN());
    }
}
