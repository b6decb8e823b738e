package dev.samediff.samples.report;

import dev.samediff.samples.output.TextTable;
import java.util.List;
import java.util.Map;

/** The few elements of HTML that reports need; every text is escaped. */
final class Html {
    private Html() {}

    /** Returns the text with what HTML and XML would read as markup escaped, and without characters XML forbids. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(point -> {
            switch (point) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                case '\n', '\t' -> escaped.appendCodePoint(point);
                default -> escaped.appendCodePoint(isAllowed(point) ? point : 0xFFFD);
            }
        });
        return escaped.toString();
    }

    static String element(String name, String text) {
        return "<" + name + ">" + escape(text) + "</" + name + ">\n";
    }

    /** A table; columns of numbers are aligned to the right. */
    static String table(TextTable table) {
        StringBuilder html = new StringBuilder("<div class=\"wide\"><table>");
        if (table.hasHeader()) {
            html.append("<thead>").append(row(table, "th", table.header())).append("</thead>");
        }
        html.append("<tbody>\n");
        table.rows().forEach(row -> html.append(row(table, "td", row)));
        return html.append("</tbody></table></div>\n").toString();
    }

    /** Terms and their values. */
    static String pairs(Map<String, String> pairs) {
        StringBuilder html = new StringBuilder("<dl>\n");
        pairs.forEach((term, value) ->
                html.append("<div><dt>" + escape(term) + "</dt><dd>" + escape(value) + "</dd></div>\n"));
        return html.append("</dl>\n").toString();
    }

    private static String row(TextTable table, String cell, List<String> texts) {
        StringBuilder html = new StringBuilder("<tr>");
        for (int i = 0; i < texts.size(); i++) {
            String style = table.isNumeric(i) ? " class=\"number\"" : "";
            html.append("<" + cell + style + ">" + escape(texts.get(i)) + "</" + cell + ">");
        }
        return html.append("</tr>\n").toString();
    }

    private static boolean isAllowed(int point) {
        boolean control = point < 0x20 || point == 0x7F;
        boolean surrogateOrNone = (point >= 0xD800 && point <= 0xDFFF) || point == 0xFFFE || point == 0xFFFF;
        return !control && !surrogateOrNone;
    }
}
