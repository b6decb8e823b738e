package dev.samediff.samples.analyse;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The numbers of an analysis as tables. */
public final class AnalysisTables {
    private AnalysisTables() {}

    /** Returns a row of means for each run and step, in the order of the rows. */
    public static List<Row> means(List<Row> rows) {
        Map<String, List<Row>> groups = rows.stream()
                .collect(Collectors.groupingBy(
                        row -> row.run() + '\n' + row.step(), LinkedHashMap::new, Collectors.toList()));
        List<Row> means = new ArrayList<>();
        groups.values().forEach(group -> means.add(Row.mean(group)));
        return means;
    }

    /**
     * Returns a table; dS and dD are the variations of the singular values and vectors.
     *
     * @param rows means, or matrices
     * @param matrices whether a row names its matrix
     */
    public static TextTable table(List<Row> rows, boolean matrices) {
        TextTable table = new TextTable(
                "run",
                matrices ? "matrix" : "step",
                "dS all",
                "dD all",
                "dS r",
                "dD r",
                "subspace r",
                "angle r",
                "change",
                "cond W0",
                "cond W",
                "eff. rank",
                "|U'U-I|",
                "cond U, V",
                "cond part");
        for (Row row : rows) {
            table.row(
                    row.run(),
                    matrices ? row.matrix() : row.step() < 0 ? "-" : Integer.toString(row.step()),
                    Numbers.decimal(row.deltaSigma()),
                    Numbers.decimal(row.deltaD(), 3),
                    Numbers.decimal(row.deltaSigmaLeading()),
                    Numbers.decimal(row.deltaDLeading(), 3),
                    Numbers.decimal(row.subspace(), 3),
                    Numbers.decimal(Math.max(row.angleLeft(), row.angleRight()), 1),
                    Numbers.decimal(row.relativeChange(), 3),
                    large(row.conditionBefore()),
                    large(row.condition()),
                    Numbers.decimal(row.effectiveRank(), 1),
                    Double.isNaN(row.orthonormality()) ? "-" : String.format(Locale.ROOT, "%.1e", row.orthonormality()),
                    Numbers.decimal((row.conditionU() + row.conditionV()) / 2, 3),
                    Numbers.decimal(row.conditionPart(), 3));
        }
        return table;
    }

    private static String large(double condition) {
        return Double.isInfinite(condition) || condition >= 1e7
                ? String.format(Locale.ROOT, "%.1e", condition)
                : Numbers.decimal(condition, condition < 100 ? 2 : 0);
    }
}
