package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.Orientation;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A weight plus products of narrow matrices, {@code W + sum_i f_i A_i B_i}, computed in float64 and rounded once. It goes row by
 * row, several rows at a time, so that nothing of the weight's size is made on the way. A stack of experts is a weight with
 * the rows of all of them.
 */
final class LowRankSum {
    private final Orientation orientation;
    private final int experts;
    private final SiteKind kind;
    private final List<Term> terms = new ArrayList<>();

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
        int each = rows / experts;
        if (isPlain(weight) && isPlain(target)) {
            IntStream.range(0, rows).parallel().forEach(row -> addRow(weight, target, row, columns, each));
            return;
        }
        double[] numbers = numbers(weight.castTo(DataType.DOUBLE));
        double[] sum = new double[columns];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(numbers, row * columns, sum, 0, columns);
            addTerms(sum, row, each);
            System.arraycopy(sum, 0, numbers, row * columns, columns);
        }
        target.assign(Nd4j.createFromArray(numbers).reshape(weight.shape()).castTo(target.dataType()));
    }

    /** Row-major FLOAT in the memory of this process. */
    private static boolean isPlain(INDArray array) {
        return array.dataType() == DataType.FLOAT
                && array.ordering() == 'c'
                && !array.isView()
                && Nd4j.getEnvironment().isCPU();
    }

    private void addRow(INDArray weight, INDArray target, int row, int columns, int each) {
        float[] numbers = new float[columns];
        new FloatPointer(weight.data().addressPointer())
                .position((long) row * columns)
                .get(numbers);
        double[] sum = new double[columns];
        for (int i = 0; i < columns; i++) {
            sum[i] = numbers[i];
        }
        addTerms(sum, row, each);
        for (int i = 0; i < columns; i++) {
            numbers[i] = (float) sum[i];
        }
        new FloatPointer(target.data().addressPointer())
                .position((long) row * columns)
                .put(numbers);
        Reference.reachabilityFence(weight);
        Reference.reachabilityFence(target);
    }

    /** Adds a row's products; {@code each} is the number of rows of one expert. */
    private void addTerms(double[] sum, int row, int each) {
        for (Term term : terms) {
            int first = row / each * term.rank;
            for (int k = 0; k < term.rank; k++) {
                addScaled(sum, term.right, (first + k) * sum.length, term.left[row * term.rank + k]);
            }
        }
    }

    private static void addScaled(double[] sum, double[] right, int start, double factor) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * right[start + i];
        }
    }
}
