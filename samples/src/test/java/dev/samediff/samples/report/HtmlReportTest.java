package dev.samediff.samples.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.samples.output.TextTable;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class HtmlReportTest {
    private static final String HOSTILE = "<script>alert('x')</script> & \"q\" \u0000 \uD83D\uDE00";

    @Test
    void every_text_is_escaped_and_the_page_is_well_formed() throws Exception {
        String page = new HtmlReport(HOSTILE, HOSTILE)
                .section(HOSTILE)
                .paragraph(HOSTILE)
                .pairs(Map.of(HOSTILE, HOSTILE))
                .table(new TextTable(HOSTILE, "n").row(HOSTILE, "1"))
                .code(HOSTILE)
                .chart(new LineChart(HOSTILE, HOSTILE, HOSTILE, List.of(series())))
                .render();
        assertThat(page).doesNotContain("<script").contains("&lt;script&gt;").contains("\uD83D\uDE00");
        String withoutDoctype = page.substring(page.indexOf("<html"));
        DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(withoutDoctype)));
    }

    @Test
    void page_needs_nothing_from_elsewhere() {
        String page = new HtmlReport("t", "l")
                .chart(new LineChart("t", "x", "y", List.of(series())))
                .render();
        assertThat(page).doesNotContainPattern("(src|href|@import|url\\()");
        assertThat(page.replace("http://www.w3.org/2000/svg", "")).doesNotContain("http");
    }

    private static Series series() {
        return Series.marked(HOSTILE, List.of(new Series.Point(0, 1), new Series.Point(1, 2)));
    }
}
