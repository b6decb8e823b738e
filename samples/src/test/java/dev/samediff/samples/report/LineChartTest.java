package dev.samediff.samples.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.samediff.samples.report.Series.Point;
import java.io.StringReader;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class LineChartTest {
    private static final List<Point> FALLING = IntStream.range(0, 50)
            .mapToObj(i -> new Point(i, Math.exp(-i / 10.0)))
            .toList();

    @Test
    void svg_is_well_formed_and_has_every_point() throws Exception {
        LineChart chart = new LineChart("Loss <&>", "step", "loss", List.of(Series.line("train \"a\"", FALLING)));
        Element curve =
                (Element) parse(chart.svg()).getElementsByTagName("polyline").item(0);
        assertThat(curve.getAttribute("points").split(" ")).hasSize(50);
    }

    @Test
    void points_that_are_not_finite_are_left_out() throws Exception {
        List<Point> points = List.of(new Point(0, 1), new Point(1, Double.NaN), new Point(2, 3));
        LineChart chart = new LineChart("t", "x", "y", List.of(Series.marked("s", points)));
        assertThat(parse(chart.svg()).getElementsByTagName("circle").getLength())
                .isEqualTo(2);
        assertThat(chart.svg()).doesNotContain("NaN");
    }

    @Test
    void charts_of_one_point_and_of_equal_values_are_drawn() throws Exception {
        for (List<Point> points : List.of(
                List.of(new Point(3, 0)), List.of(new Point(3, -2)), List.of(new Point(1, 5), new Point(2, 5)))) {
            String svg = new LineChart("t", "x", "y", List.of(Series.line("s", points))).svg();
            parse(svg);
            assertThat(svg).doesNotContain("NaN").doesNotContain("Infinity");
        }
    }

    @Test
    void background_shares_the_colour_and_stays_out_of_the_legend() throws Exception {
        Series train = Series.line("train", FALLING);
        LineChart chart = new LineChart("t", "x", "y", List.of(train.asBackground(), train.smoothed(0.9)));
        Document svg = parse(chart.svg());
        assertThat(svg.getElementsByTagName("polyline").getLength()).isEqualTo(2);
        assertThat(svg.getElementsByTagName("rect").getLength()).isEqualTo(1);
        assertThat(chart.svg()).contains("--series-0").doesNotContain("--series-1");
    }

    @Test
    void smoothing_keeps_a_constant_and_follows_a_step() {
        List<Point> constant =
                IntStream.range(0, 5).mapToObj(i -> new Point(i, 2)).toList();
        assertThat(Series.line("c", constant).smoothed(0.9).points())
                .allSatisfy(point -> assertThat(point.y()).isCloseTo(2, offset(1e-12)));
        Series step =
                Series.line("s", List.of(new Point(0, 0), new Point(1, 1))).smoothed(0.5);
        assertThat(step.points().get(1).y()).isCloseTo(2.0 / 3, offset(1e-12));
    }

    @Test
    void ticks_are_round_and_cover_the_values() {
        Axis axis = Axis.covering(new double[] {0.13, 0.97}, 0, 100);
        assertThat(axis.ticks().stream().map(axis::label)).containsExactly("0", "0.2", "0.4", "0.6", "0.8", "1");
        assertThat(axis.pixel(0.5)).isCloseTo(50, offset(1e-9));
    }

    @Test
    void whole_values_have_whole_ticks() {
        Axis axis = Axis.covering(new double[] {0, 1, 3}, 0, 100);
        assertThat(axis.ticks().stream().map(axis::label)).containsExactly("0", "1", "2", "3");
    }

    private static Document parse(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }
}
