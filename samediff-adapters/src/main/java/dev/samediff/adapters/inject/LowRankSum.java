package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.Scales;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.memory.HostFloats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A weight plus products of narrow matrices, {@code W + sum_i f_i A_i B_i}, computed in float64 and rounded once. It goes row by
 * row, several rows at a time, so that nothing of the weight's size is made on the way. A stack of experts is a weight with
 * the rows of all of them. Of a method with a {@link AdapterMethod#magnitude} the columns are brought to its lengths then; of one with
 * {@link AdapterMethod#scales} rows or columns are multiplied by its factors.
 */
final class LowRankSum {
    /** Rows whose squares are added up by one thread. */
    private static final int PART = 64;

    /** Rows of a factor that are added at once. */
    private static final int TOGETHER = 4;

    private final Orientation orientation;
    private final int experts;
    private final SiteKind kind;
    private final List<Term> terms = new ArrayList<>();
    private double[] lengths = {};
    private double[] ofInputs = {};
    private double[] ofOutputs = {};

    /**
     * Starts with nothing to add.
     *
     * @param layer whose weight it is
     */
    LowRankSum(AdaptableSite layer) {
        this.orientation = layer.orientation();
        this.experts = layer.experts();
        this.kind = layer.kind();
    }

    /** left [rows,rank] times right [rank,columns] in the stored orientation; of each expert, one behind the other. */
    private record Term(double[] left, double[] right, int rank) {}

    /**
     * Adds a product.
     *
     * @param method whose tensors these are
     * @param tensors by short name
     * @param factor of the product
     */
    void add(AdapterMethod method, Map<String, INDArray> tensors, double factor) {
        Map<String, INDArray> doubles = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> doubles.put(name, tensor.castTo(DataType.DOUBLE)));
        Map<String, INDArray> factors = ExpertTensors.asLora(kind, method, doubles);
        INDArray a = Objects.requireNonNull(factors.get("lora_A"));
        INDArray b = Objects.requireNonNull(factors.get("lora_B")).mul(factor);
        boolean rows = orientation == Orientation.IN_OUT;
        terms.add(new Term(
                numbers(rows ? a : Orientation.OUT_IN.asStored(b)),
                numbers(rows ? b : Orientation.OUT_IN.asStored(a)),
                Math.toIntExact(a.size(-1))));
    }

    /**
     * Adds what an adapter does to the weight now: a product, lengths that columns are brought to, or vectors that rows or columns are
     * multiplied by.
     *
     * @param method whose tensors these are
     * @param tensors by short name
     * @param scaling of the product
     */
    void addChange(AdapterMethod method, Map<String, INDArray> tensors, double scaling) {
        Optional<Scales> scales = method.scales();
        if (scales.isEmpty()) {
            add(method, tensors, scaling);
            bringToLengths(method, tensors);
            return;
        }
        INDArray inputs = tensors.get(scales.get().inputs());
        INDArray outputs = tensors.get(scales.get().outputs());
        ofInputs = inputs == null ? ofInputs : numbers(inputs);
        ofOutputs = outputs == null ? ofOutputs : numbers(outputs);
    }

    /**
     * Brings the columns of the sum to given lengths; a column of zeros stays one.
     *
     * @param method whose tensors these are; nothing happens if it has no {@link AdapterMethod#magnitude}
     * @param tensors by short name
     */
    private void bringToLengths(AdapterMethod method, Map<String, INDArray> tensors) {
        method.magnitude().ifPresent(name -> lengths = numbers(Objects.requireNonNull(tensors.get(name))));
    }

    private static double[] numbers(INDArray array) {
        return array.dup('c').data().asDouble();
    }

    /**
     * Computes the sum.
     *
     * @param weight W as stored; not modified
     * @param target takes the result, of W's shape, other memory
     */
    void into(INDArray weight, INDArray target) {
        int columns = Math.toIntExact(weight.size(-1));
        int rows = Math.toIntExact(weight.length() / columns);
        double[] factors = columnFactors(weight);
        IntFunction<double[]> sums = sums(weight);
        IntFunction<double[]> results = row -> {
            double[] sum = sums.apply(row);
            scale(sum, row, factors, orientation == Orientation.IN_OUT);
            scale(sum, row, ofOutputs, orientation == Orientation.IN_OUT);
            scale(sum, row, ofInputs, orientation == Orientation.OUT_IN);
            return sum;
        };
        if (HostFloats.isPlain(target)) {
            IntStream.range(0, rows).parallel().forEach(row -> write(results.apply(row), target, row));
            return;
        }
        double[] numbers = new double[rows * columns];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(results.apply(row), 0, numbers, row * columns, columns);
        }
        target.assign(Nd4j.createFromArray(numbers).reshape(weight.shape()).castTo(target.dataType()));
    }

    /**
     * Computes what {@link #bringToLengths} multiplies the columns by [out].
     *
     * @param weight W as stored; not modified
     * @return nothing, if no lengths were given
     */
    double[] columnFactors(INDArray weight) {
        if (lengths.length == 0) {
            return lengths;
        }
        double[] factors = columnSquares(weight);
        for (int i = 0; i < factors.length; i++) {
            factors[i] = factors[i] == 0 ? 1 : lengths[i] / Math.sqrt(factors[i]);
        }
        return factors;
    }

    /** Multiplies a row by factors of its elements, or by the factor of the row. */
    private static void scale(double[] sum, int row, double[] factors, boolean each) {
        if (factors.length > 0) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] *= factors[each ? i : row];
            }
        }
    }

    /**
     * Computes the squared lengths of the sum's columns [out], before they are brought to others.
     *
     * @param weight W [in,out] as stored; not modified
     */
    double[] columnSquares(INDArray weight) {
        int columns = Math.toIntExact(weight.size(-1));
        int rows = Math.toIntExact(weight.length() / columns);
        IntFunction<double[]> sums = sums(weight);
        if (orientation == Orientation.OUT_IN) {
            return IntStream.range(0, rows)
                    .parallel()
                    .mapToDouble(row -> {
                        double square = 0;
                        for (double number : sums.apply(row)) {
                            square += number * number;
                        }
                        return square;
                    })
                    .toArray();
        }
        double[] total = new double[columns]; // of parts, added in their order: the same sum on every machine
        IntStream.range(0, (rows + PART - 1) / PART)
                .parallel()
                .mapToObj(part -> squares(sums, part * PART, Math.min(rows, (part + 1) * PART), columns))
                .toList()
                .forEach(part -> addScaled(total, part, 0, 1));
        return total;
    }

    private static double[] squares(IntFunction<double[]> sums, int from, int to, int columns) {
        double[] squares = new double[columns];
        for (int row = from; row < to; row++) {
            double[] sum = sums.apply(row);
            for (int i = 0; i < columns; i++) {
                squares[i] += sum[i] * sum[i];
            }
        }
        return squares;
    }

    /** W's rows with the products, unscaled; safe for several threads. */
    private IntFunction<double[]> sums(INDArray weight) {
        int columns = Math.toIntExact(weight.size(-1));
        int each = Math.toIntExact(weight.length() / columns) / experts;
        IntFunction<double[]> rows =
                HostFloats.isPlain(weight) ? row -> read(weight, row, columns) : copied(weight, columns);
        return row -> {
            double[] sum = rows.apply(row);
            addTerms(sum, row, each);
            return sum;
        };
    }

    private static IntFunction<double[]> copied(INDArray weight, int columns) {
        double[] numbers = numbers(weight.castTo(DataType.DOUBLE));
        return row -> Arrays.copyOfRange(numbers, row * columns, (row + 1) * columns);
    }

    private static double[] read(INDArray weight, int row, int columns) {
        float[] numbers = new float[columns];
        HostFloats.read(weight, (long) row * columns, numbers);
        double[] doubles = new double[columns];
        for (int i = 0; i < columns; i++) {
            doubles[i] = numbers[i];
        }
        return doubles;
    }

    private static void write(double[] doubles, INDArray target, int row) {
        float[] numbers = new float[doubles.length];
        for (int i = 0; i < doubles.length; i++) {
            numbers[i] = (float) doubles[i];
        }
        HostFloats.write(numbers, target, (long) row * doubles.length);
    }

    /** Adds a row's products; {@code each} is the number of rows of one expert. */
    private void addTerms(double[] sum, int row, int each) {
        for (Term term : terms) {
            int first = row / each * term.rank;
            int k = 0;
            for (; k + TOGETHER <= term.rank; k += TOGETHER) {
                addScaled(sum, term.right, (first + k) * sum.length, term.left, row * term.rank + k);
            }
            for (; k < term.rank; k++) {
                addScaled(sum, term.right, (first + k) * sum.length, term.left[row * term.rank + k]);
            }
        }
    }

    /** Adds {@value #TOGETHER} rows of a factor at once: the sum is read and written once for them. */
    private static void addScaled(double[] sum, double[] right, int start, double[] factors, int factor) {
        int n = sum.length;
        double f0 = factors[factor];
        double f1 = factors[factor + 1];
        double f2 = factors[factor + 2];
        double f3 = factors[factor + 3];
        int second = start + n;
        int third = second + n;
        int fourth = third + n;
        for (int i = 0; i < n; i++) {
            sum[i] += f0 * right[start + i] + f1 * right[second + i] + f2 * right[third + i] + f3 * right[fourth + i];
        }
    }

    private static void addScaled(double[] sum, double[] right, int start, double factor) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * right[start + i];
        }
    }
}
