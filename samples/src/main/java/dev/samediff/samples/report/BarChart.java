package dev.samediff.samples.report;

import dev.samediff.samples.output.Numbers;
import java.util.Locale;
import java.util.Map;

/**
 * Shares as horizontal bars, drawn as SVG.
 *
 * @param title heading
 * @param shares values from 0 to 1 by name, in the order they are drawn
 */
public record BarChart(String title, Map<String, Double> shares) {
    private static final int WIDTH = 760;
    private static final int LEFT = 110;
    private static final int RIGHT = 70;
    private static final int TOP = 34;
    private static final int BAR = 26;

    /** Returns an {@code <svg>} element, well-formed XML. */
    public String svg() {
        int height = TOP + BAR * shares.size() + 8;
        StringBuilder svg = new StringBuilder(Svg.open(WIDTH, height, title));
        svg.append(Svg.text(0, 18, "start", "chart-title", title));
        int y = TOP;
        for (Map.Entry<String, Double> share : shares.entrySet()) {
            double width = (WIDTH - LEFT - RIGHT) * Math.min(1, Math.max(0, share.getValue()));
            svg.append(Svg.text(LEFT - 10, y + 14, "end", "tick", share.getKey()));
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\" rx=\"2\" fill=\"var(--series-0)\"/>\n",
                    LEFT,
                    y + 2,
                    Math.max(1, width)));
            svg.append(Svg.text(LEFT + width + 8, y + 14, "start", "tick", Numbers.percent(share.getValue())));
            y += BAR;
        }
        return svg.append("</svg>\n").toString();
    }
}
