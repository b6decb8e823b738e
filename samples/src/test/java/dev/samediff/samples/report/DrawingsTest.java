package dev.samediff.samples.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class DrawingsTest {
    @Test
    void a_heat_map_has_a_cell_for_every_pair_and_shows_what_was_measured() throws Exception {
        HeatMap map = new HeatMap(
                "a < b",
                "x",
                "y",
                List.of("1", "2", "3"),
                List.of("low", "high"),
                List.of(List.of(0.5, Double.NaN, 0.25), List.of(1.0, 2.0, Double.NaN)));
        Element svg = parse(map.svg());
        assertThat(svg.getElementsByTagName("rect").getLength()).isEqualTo(6);
        assertThat(map.svg()).contains(">0.250<", ">2.000<", "a &lt; b").doesNotContain("NaN");
        assertThat(opacity(svg, 2)).as("the lowest is the darkest").isEqualTo("1.00");
        assertThat(opacity(svg, 4)).as("the highest is the palest").isEqualTo("0.08");
        assertThat(map.isEmpty()).isFalse();
    }

    @Test
    void parallel_coordinates_draw_every_trial_and_leave_out_what_does_not_exist() throws Exception {
        ParallelCoordinates.Axis axis =
                new ParallelCoordinates.Axis("rank", List.of(new ParallelCoordinates.Tick(0, "2")));
        ParallelCoordinates drawing = new ParallelCoordinates(
                "trials",
                List.of(axis, axis, axis),
                List.of(
                        new ParallelCoordinates.Line(List.of(0.0, Double.NaN, 1.0), 0, false),
                        new ParallelCoordinates.Line(List.of(0.5, 0.5, 0.5), 1, true)));
        Element svg = parse(drawing.svg());
        assertThat(points(svg, 0)).hasSize(2);
        assertThat(points(svg, 1)).hasSize(3);
        assertThat(((Element) svg.getElementsByTagName("polyline").item(1)).getAttribute("stroke"))
                .isEqualTo("var(--series-1)");
    }

    @Test
    void bars_are_as_long_as_their_shares() throws Exception {
        Element svg = parse(new BarChart("importance", Map.of("eta", 0.5)).svg());
        double half =
                Double.parseDouble(((Element) svg.getElementsByTagName("rect").item(0)).getAttribute("width"));
        Element whole = parse(new BarChart("importance", Map.of("eta", 1.0)).svg());
        double all =
                Double.parseDouble(((Element) whole.getElementsByTagName("rect").item(0)).getAttribute("width"));
        assertThat(half * 2).isEqualTo(all);
    }

    @Test
    void dots_have_no_line() throws Exception {
        Series dots = Series.dots("d", List.of(new Series.Point(0, 1), new Series.Point(1, 2)));
        Element svg = parse(new LineChart("t", "x", "y", List.of(dots)).svg());
        assertThat(svg.getElementsByTagName("polyline").getLength()).isZero();
        assertThat(svg.getElementsByTagName("circle").getLength()).isEqualTo(2);
    }

    private static String opacity(Element svg, int cell) {
        return ((Element) svg.getElementsByTagName("rect").item(cell)).getAttribute("fill-opacity");
    }

    private static String[] points(Element svg, int line) {
        return ((Element) svg.getElementsByTagName("polyline").item(line))
                .getAttribute("points")
                .split(" ");
    }

    private static Element parse(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(svg)))
                .getDocumentElement();
    }
}
