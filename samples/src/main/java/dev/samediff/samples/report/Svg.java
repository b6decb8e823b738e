package dev.samediff.samples.report;

import java.util.Locale;

/** The few elements of SVG that charts need. */
final class Svg {
    private Svg() {}

    static String open(int width, int height, String title) {
        return String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" class=\"chart\"><title>%s</title>\n",
                width,
                height,
                Html.escape(title));
    }

    static String line(double x1, double y1, double x2, double y2) {
        return String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"var(--faint)\"/>\n",
                x1,
                y1,
                x2,
                y2);
    }

    static String text(double x, double y, String anchor, String style, String text) {
        return String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\" fill=\"var(--ink)\">%s</text>\n",
                x,
                y,
                anchor,
                style,
                Html.escape(text));
    }
}
