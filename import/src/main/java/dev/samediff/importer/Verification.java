package dev.samediff.importer;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How an imported graph compares with ONNX Runtime on the same file and the same inputs.
 *
 * @param tolerance the largest absolute difference that passes for outputs of full precision
 * @param comparisons one per output and set of input sizes
 * @param notes what was chosen or left out, for the reader
 */
public record Verification(double tolerance, List<Comparison> comparisons, List<String> notes) {
    /** Copies the list. */
    public Verification {
        comparisons = List.copyOf(comparisons);
        notes = List.copyOf(notes);
        if (comparisons.isEmpty()) {
            throw new IllegalArgumentException("a verification without outputs says nothing");
        }
    }

    /** A verification without notes. */
    public Verification(double tolerance, List<Comparison> comparisons) {
        this(tolerance, comparisons, List.of());
    }

    /** Whether every output is within the tolerance of its type. */
    public boolean passed() {
        return comparisons.stream().allMatch(comparison -> comparison.absolute() <= tolerance * comparison.leniency());
    }

    /** The output with the largest absolute difference. */
    public Comparison worst() {
        return comparisons.stream()
                .max(Comparator.comparingDouble(comparison -> comparison.absolute() / comparison.leniency()))
                .orElseThrow();
    }

    /** A text table, a line per comparison, and the verdict. */
    @Override
    public String toString() {
        int name = comparisons.stream().mapToInt(c -> c.output().length()).max().orElse(0);
        int sizes = comparisons.stream().mapToInt(c -> c.sizes().length()).max().orElse(0);
        StringBuilder text = new StringBuilder();
        String row = "%-" + Math.max(6, name) + "s  %-" + Math.max(6, sizes) + "s  %-12s  %-12s  %-12s  %s%n";
        text.append(String.format(Locale.ROOT, row, "output", "inputs", "max abs", "max rel", "in float64", "shape"));
        for (Comparison c : comparisons) {
            String shape = Arrays.toString(c.expectedShape().stream().toArray());
            text.append(String.format(
                    Locale.ROOT,
                    row,
                    c.output(),
                    c.sizes(),
                    String.format(Locale.ROOT, "%.3g", c.absolute()),
                    String.format(Locale.ROOT, "%.3g", c.relative()),
                    Double.isNaN(c.absoluteInDouble()) ? "-" : String.format(Locale.ROOT, "%.3g", c.absoluteInDouble()),
                    c.sameShape() ? shape : shape + ", but " + c.actualShape() + " imported"));
        }
        notes.forEach(note -> text.append(note).append(System.lineSeparator()));
        return text.append(String.format(
                        Locale.ROOT,
                        "%s: largest difference %.3g in %s, tolerance %.3g",
                        passed() ? "passed" : "FAILED",
                        worst().absolute(),
                        worst().output(),
                        tolerance * worst().leniency()))
                .toString();
    }

    /**
     * One output at one set of input sizes.
     *
     * @param sizes the open dimensions of the inputs: `batch = 2, sequence = 5`
     * @param output the output's name in the file
     * @param expectedShape the shape in ONNX Runtime
     * @param actualShape the shape in the imported graph
     * @param absolute the largest difference of two entries; infinite if the shapes differ or only one is a number
     * @param relative the same, divided by the largest entry ONNX Runtime gives
     * @param absoluteInDouble the largest difference if the imported graph computes in double precision: a mistake stays,
     *     rounding shrinks to ONNX Runtime's own; NaN if that was not measured
     * @param leniency the tolerance is so many times larger for an output of this precision
     */
    public record Comparison(
            String sizes,
            String output,
            List<Long> expectedShape,
            List<Long> actualShape,
            double absolute,
            double relative,
            double absoluteInDouble,
            double leniency) {
        /** Half precision has 10 bits of fraction instead of 23; a model rounds to it between its operators. */
        static final double HALF_LENIENCY = 100;

        /** Scores of which all are hidden by a large negative number are rounded to the steps of such numbers. */
        static final double HIDDEN_LENIENCY = 100;

        /** Copies the lists. */
        public Comparison {
            expectedShape = List.copyOf(expectedShape);
            actualShape = List.copyOf(actualShape);
        }

        /** Whether both outputs have one shape. */
        public boolean sameShape() {
            return expectedShape.equals(actualShape);
        }

        /** An output that the imported graph does not have, because it cannot run. */
        static Comparison missing(String sizes, String output, INDArray expected, double leniency) {
            return different(sizes, output, shape(expected), List.of()).with(Double.NaN, leniency);
        }

        private static Comparison different(
                String sizes, String output, List<Long> expectedShape, List<Long> actualShape) {
            return new Comparison(
                    sizes,
                    output,
                    expectedShape,
                    actualShape,
                    Double.POSITIVE_INFINITY,
                    Double.POSITIVE_INFINITY,
                    Double.NaN,
                    1);
        }

        static Comparison of(String sizes, String output, INDArray expected, INDArray actual) {
            List<Long> expectedShape = shape(expected);
            List<Long> actualShape = shape(actual);
            if (!expectedShape.equals(actualShape)) {
                return different(sizes, output, expectedShape, actualShape);
            }
            double[] wanted = values(expected);
            double[] got = values(actual);
            double absolute = 0;
            double largest = 0;
            for (int i = 0; i < wanted.length; i++) {
                absolute = Math.max(absolute, difference(wanted[i], got[i]));
                largest = Math.max(largest, Double.isFinite(wanted[i]) ? Math.abs(wanted[i]) : 0);
            }
            double relative = absolute == 0 ? 0 : absolute / largest;
            return new Comparison(sizes, output, expectedShape, actualShape, absolute, relative, Double.NaN, 1);
        }

        Comparison with(double inDouble, double lenient) {
            return new Comparison(sizes, output, expectedShape, actualShape, absolute, relative, inDouble, lenient);
        }

        /** Equal infinities and two NaN do not differ; a number and something else differ infinitely. */
        private static double difference(double expected, double actual) {
            if (Double.compare(expected, actual) == 0) {
                return 0;
            }
            double difference = Math.abs(expected - actual);
            return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
        }

        private static List<Long> shape(INDArray array) {
            return Arrays.stream(array.shape()).boxed().toList();
        }

        private static double[] values(INDArray array) {
            return array.isEmpty()
                    ? new double[0]
                    : array.dup('c').reshape(array.length()).toDoubleVector();
        }
    }
}
