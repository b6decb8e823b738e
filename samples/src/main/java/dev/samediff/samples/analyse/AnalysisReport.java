package dev.samediff.samples.analyse;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.report.HtmlReport;
import dev.samediff.samples.report.LineChart;
import dev.samediff.samples.report.Series;
import dev.samediff.samples.report.Series.Point;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** An analysis as a page, with figures like the SORSA paper's second and what its theorem 5 speaks of. */
public final class AnalysisReport {
    private static final String SIGMA = "change of singular values";
    private static final String DIRECTION = "turn of singular vectors";

    private AnalysisReport() {}

    /**
     * Returns the page.
     *
     * @param rows every matrix of every step
     * @param model the base model
     * @param commandLine what to type to do it again
     */
    public static String render(List<Row> rows, String model, String commandLine) {
        List<Row> means = AnalysisTables.means(rows);
        List<Row> last = last(rows);
        return new HtmlReport("What training did to the weights", lead(AnalysisTables.means(last), model))
                .table(AnalysisTables.table(means, false))
                .paragraph(
                        "Means over the matrices. dS and dD are the mean change of the singular values and the mean turn"
                                + " of the singular vectors (SORSA, equations 1 to 4), over all of them and over the leading r."
                                + " Over all of them, dD flatters a method whose change lies in the leading subspace: the many"
                                + " vectors of tiny singular values turn with any other change. Look at both.")
                .section("Singular values against singular vectors")
                .chart(scatter("All triplets (SORSA, figure 2)", rows, Row::deltaD, Row::deltaSigma))
                .chart(scatter("The leading r triplets", rows, Row::deltaDLeading, Row::deltaSigmaLeading))
                .section("By step")
                .chart(byStep("Turn of the leading singular vectors", DIRECTION, means, Row::deltaDLeading))
                .chart(byStep("Share of the leading subspace that was left", "share", means, Row::subspace))
                .section("Condition numbers and orthonormality (SORSA, theorem 5)")
                .chart(byStep("Condition number of the trained part", "condition number", means, Row::conditionPart))
                .chart(byStep("Distance of U and V from orthonormal", "Frobenius norm", means, Row::orthonormality))
                .chart(byStep("Condition number of W", "condition number", means, Row::condition))
                .section("Every matrix at the last step")
                .table(AnalysisTables.table(last, true))
                .section("Do it again")
                .code(commandLine)
                .render();
    }

    private static String lead(List<Row> means, String model) {
        return means.stream()
                .map(row -> row.run() + " changed " + row.matrix() + " by "
                        + Numbers.percent(row.relativeChange()) + " and turned their leading singular vectors by "
                        + Numbers.decimal(row.deltaDLeading(), 3) + " of 1")
                .collect(Collectors.joining("; ", "Base model: " + model + ". ", "."));
    }

    /** The rows of each run's last step. */
    private static List<Row> last(List<Row> rows) {
        Map<String, Integer> steps = new LinkedHashMap<>();
        rows.forEach(row -> steps.merge(row.run(), row.step(), Math::max));
        return rows.stream()
                .filter(row -> steps.getOrDefault(row.run(), row.step()) == row.step())
                .toList();
    }

    private static LineChart scatter(
            String title, List<Row> rows, ToDoubleFunction<Row> across, ToDoubleFunction<Row> up) {
        return new LineChart(
                title,
                DIRECTION,
                SIGMA,
                byRun(rows).entrySet().stream()
                        .map(run -> Series.dots(run.getKey(), points(run.getValue(), across, up)))
                        .toList());
    }

    private static LineChart byStep(String title, String what, List<Row> means, ToDoubleFunction<Row> number) {
        return new LineChart(
                title,
                "step",
                what,
                byRun(means.stream().filter(row -> row.step() >= 0).toList()).entrySet().stream()
                        .map(run -> Series.marked(run.getKey(), points(run.getValue(), Row::step, number)))
                        .toList());
    }

    private static Map<String, List<Row>> byRun(List<Row> rows) {
        return rows.stream().collect(Collectors.groupingBy(Row::run, LinkedHashMap::new, Collectors.toList()));
    }

    private static List<Point> points(List<Row> rows, ToDoubleFunction<Row> across, ToDoubleFunction<Row> up) {
        return rows.stream()
                .map(row -> new Point(across.applyAsDouble(row), up.applyAsDouble(row)))
                .toList();
    }
}
