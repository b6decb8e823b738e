package dev.samediff.samples.analyse;

import dev.samediff.adapters.analysis.AdapterAnalysis;
import dev.samediff.adapters.analysis.ModelAnalysis;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * The numbers of one matrix at one step, or the means of all matrices.
 *
 * @param run name of the run
 * @param step updates made before; -1 if nobody says it
 * @param matrix the matrix, or how many were averaged
 * @param rank how many triplets are the leading ones
 * @param deltaSigma mean change of all singular values (SORSA paper, equation 1)
 * @param deltaD mean turn of all singular vectors, 0 to 1 (equations 2 to 4)
 * @param deltaSigmaLeading the same of the leading ones
 * @param deltaDLeading the same of the leading ones
 * @param subspace the share of the leading subspace that was left
 * @param angleLeft largest angle of the leading left subspaces in degrees
 * @param angleRight the same of the right ones
 * @param relativeChange {@code ||W - W0||_F / ||W0||_F}
 * @param conditionBefore condition number of W0
 * @param condition condition number of W
 * @param effectiveRankBefore effective rank of W0
 * @param effectiveRank effective rank of W
 * @param stableRankBefore stable rank of W0
 * @param stableRank stable rank of W
 * @param orthonormality mean of {@code ||U^T U - I||_F} and {@code ||V^T V - I||_F}; NaN without factors
 * @param conditionU condition number of U
 * @param conditionV condition number of V
 * @param conditionPart condition number of the part of the weight that is trained (theorem 5)
 */
public record Row(
        String run,
        int step,
        String matrix,
        int rank,
        double deltaSigma,
        double deltaD,
        double deltaSigmaLeading,
        double deltaDLeading,
        double subspace,
        double angleLeft,
        double angleRight,
        double relativeChange,
        double conditionBefore,
        double condition,
        double effectiveRankBefore,
        double effectiveRank,
        double stableRankBefore,
        double stableRank,
        double orthonormality,
        double conditionU,
        double conditionV,
        double conditionPart) {
    private static final int TEXTS = 4;

    /** Returns the numbers of a matrix. */
    static Row of(String run, OptionalInt step, ModelAnalysis.Matrix found) {
        AdapterAnalysis.Factors none =
                new AdapterAnalysis.Factors(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
        AdapterAnalysis.Factors factors = found.factors().orElse(none);
        AdapterAnalysis.Deviation all = found.change().all();
        AdapterAnalysis.Deviation leading = found.change().leading();
        AdapterAnalysis.Spectrum after = found.change().after();
        return new Row(
                run,
                step.orElse(-1),
                found.matrix(),
                found.rank(),
                all.singularValues(),
                all.singularVectors(),
                leading.singularValues(),
                leading.singularVectors(),
                leading.subspace(),
                found.change().angles().left(),
                found.change().angles().right(),
                all.relativeChange(),
                found.before().condition(),
                after.condition(),
                found.before().effectiveRank(),
                after.effectiveRank(),
                found.before().stableRank(),
                after.stableRank(),
                factors.orthonormality(),
                factors.conditionOfU(),
                factors.conditionOfV(),
                factors.conditionOfPart());
    }

    /** Returns the means of some rows of one run and step. */
    static Row mean(List<Row> rows) {
        Row first = rows.get(0);
        double[] means = new double[first.numbers().size()];
        for (int i = 0; i < means.length; i++) {
            int column = i;
            means[i] = rows.stream()
                    .mapToDouble(row -> row.numbers().get(column))
                    .average()
                    .orElse(Double.NaN);
        }
        return new Row(
                first.run,
                first.step,
                rows.size() + (rows.size() == 1 ? " matrix" : " matrices"),
                rows.stream().mapToInt(Row::rank).max().orElse(0),
                means[0],
                means[1],
                means[2],
                means[3],
                means[4],
                means[5],
                means[6],
                means[7],
                means[8],
                means[9],
                means[10],
                means[11],
                means[12],
                means[13],
                means[14],
                means[15],
                means[16],
                means[17]);
    }

    private List<Double> numbers() {
        return List.of(
                deltaSigma,
                deltaD,
                deltaSigmaLeading,
                deltaDLeading,
                subspace,
                angleLeft,
                angleRight,
                relativeChange,
                conditionBefore,
                condition,
                effectiveRankBefore,
                effectiveRank,
                stableRankBefore,
                stableRank,
                orthonormality,
                conditionU,
                conditionV,
                conditionPart);
    }

    /** Returns the names of the columns of a CSV file. */
    static String header() {
        List<String> names = new ArrayList<>();
        for (RecordComponent component : Row.class.getRecordComponents()) {
            names.add(component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT));
        }
        return String.join(",", names);
    }

    /** Returns a line of a CSV file: numbers to the last digit, nothing where there is none. */
    String csv() {
        List<String> cells = new ArrayList<>(TEXTS + numbers().size());
        cells.add(quoted(run));
        cells.add(step < 0 ? "" : Integer.toString(step));
        cells.add(quoted(matrix));
        cells.add(Integer.toString(rank));
        numbers().forEach(number -> cells.add(cell(number)));
        return String.join(",", cells);
    }

    private static String cell(double number) {
        return Double.isNaN(number) ? "" : Double.isInfinite(number) ? "inf" : Double.toString(number);
    }

    private static String quoted(String text) {
        return text.matches("[^\",\\r\\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
