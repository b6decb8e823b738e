package dev.samediff.samples.report;

import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;

/** A page that is put together section by section and stands alone: no scripts, fonts or images from elsewhere. */
public final class HtmlReport {
    private final StringBuilder body = new StringBuilder();
    private final String title;

    /**
     * Starts a page.
     *
     * @param title heading
     * @param lead one or two sentences with the result
     */
    public HtmlReport(String title, String lead) {
        this.title = title;
        body.append(Html.element("h1", title)).append("<p class=\"lead\">" + Html.escape(lead) + "</p>\n");
    }

    /** Starts a section. */
    public HtmlReport section(String heading) {
        body.append(Html.element("h2", heading));
        return this;
    }

    /** Adds a paragraph. */
    public HtmlReport paragraph(String text) {
        body.append(Html.element("p", text));
        return this;
    }

    /** Adds a table. */
    public HtmlReport table(TextTable table) {
        body.append(Html.table(table));
        return this;
    }

    /** Adds terms and their values, such as a configuration. */
    public HtmlReport pairs(Map<String, String> pairs) {
        body.append(Html.pairs(pairs));
        return this;
    }

    /** Adds text as it is, such as a command line. */
    public HtmlReport code(String text) {
        body.append(Html.element("pre", text));
        return this;
    }

    /** Adds a chart, if it has a point at all. */
    public HtmlReport chart(LineChart chart) {
        return chart.series().stream().anyMatch(series -> !series.points().isEmpty()) ? figure(chart.svg()) : this;
    }

    /** Adds a drawing. */
    public HtmlReport figure(String svg) {
        body.append("<figure>\n").append(svg).append("</figure>\n");
        return this;
    }

    /** Returns the page. */
    public String render() {
        return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                + "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                + Html.element("title", title)
                + "<style>\n" + style() + "</style>\n</head>\n<body>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
    }

    private static String style() {
        try (InputStream css =
                Objects.requireNonNull(HtmlReport.class.getResourceAsStream("report.css"), "report.css")) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
