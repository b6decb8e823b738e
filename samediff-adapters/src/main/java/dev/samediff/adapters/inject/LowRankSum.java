package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.Scales;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.linalg.NarrowProducts;
import dev.samediff.adapters.memory.HostFloats;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A weight plus products of narrow matrices, {@code W + sum_i f_i A_i B_i}, computed in float64 and rounded once ({@link NarrowProducts}). A
 * stack of experts is a weight with the rows of all of them. Of a method with a {@link AdapterMethod#magnitude} the columns are brought to
 * its lengths then; of one with {@link AdapterMethod#scales} rows or columns are multiplied by its factors.
 */
final class LowRankSum {
    private final Orientation orientation;
    private final SiteKind kind;
    private final NarrowProducts products;
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
        this.kind = layer.kind();
        this.products = new NarrowProducts(layer.experts());
    }

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
        products.add(rows ? a : Orientation.OUT_IN.asStored(b), rows ? b : Orientation.OUT_IN.asStored(a));
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
        int columns = columns(weight);
        double[] factors = columnFactors(weight);
        boolean plain = HostFloats.isPlain(target);
        double[] whole = new double[plain ? 0 : Math.toIntExact(weight.length())];
        compute(weight, (tile, sums) -> {
            scale(tile, sums, factors, orientation == Orientation.IN_OUT);
            scale(tile, sums, ofOutputs, orientation == Orientation.IN_OUT);
            scale(tile, sums, ofInputs, orientation == Orientation.OUT_IN);
            if (plain) {
                write(tile, sums, target, columns);
            } else {
                for (int i = 0; i < tile.rows(); i++) {
                    int to = (tile.row() + i) * columns + tile.column();
                    System.arraycopy(sums, i * tile.columns(), whole, to, tile.columns());
                }
            }
        });
        if (!plain) {
            target.assign(Nd4j.createFromArray(whole).reshape(weight.shape()).castTo(target.dataType()));
        }
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

    /** Multiplies numbers by factors of their columns, or of their rows. */
    private static void scale(NarrowProducts.Tile tile, double[] sums, double[] factors, boolean ofColumns) {
        if (factors.length == 0) {
            return;
        }
        for (int i = 0; i < tile.rows(); i++) {
            for (int j = 0; j < tile.columns(); j++) {
                sums[i * tile.columns() + j] *= factors[ofColumns ? tile.column() + j : tile.row() + i];
            }
        }
    }

    /**
     * Computes the squared lengths of the sum's columns [out], before they are brought to others.
     *
     * @param weight W [in,out] as stored; not modified
     */
    double[] columnSquares(INDArray weight) {
        boolean ofColumns = orientation == Orientation.IN_OUT;
        Map<NarrowProducts.Tile, double[]> parts = new ConcurrentHashMap<>();
        compute(weight, (tile, sums) -> parts.put(tile, squares(tile, sums, ofColumns)));
        double[] total = new double[ofColumns ? columns(weight) : rows(weight)];
        parts.entrySet().stream() // of parts, added in their order: the same sum for all numbers of threads
                .sorted(Comparator.comparingLong(part -> (long) part.getKey().row() * columns(weight)
                        + part.getKey().column()))
                .forEach(part -> {
                    int start =
                            ofColumns ? part.getKey().column() : part.getKey().row();
                    double[] squares = part.getValue();
                    for (int i = 0; i < squares.length; i++) {
                        total[start + i] += squares[i];
                    }
                });
        return total;
    }

    private static double[] squares(NarrowProducts.Tile tile, double[] sums, boolean ofColumns) {
        double[] squares = new double[ofColumns ? tile.columns() : tile.rows()];
        for (int i = 0; i < tile.rows(); i++) {
            for (int j = 0; j < tile.columns(); j++) {
                double number = sums[i * tile.columns() + j];
                squares[ofColumns ? j : i] += number * number;
            }
        }
        return squares;
    }

    private static int columns(INDArray weight) {
        return Math.toIntExact(weight.size(-1));
    }

    private static int rows(INDArray weight) {
        return Math.toIntExact(weight.length() / columns(weight));
    }

    /** W's tiles with the products, unscaled, several at a time. */
    private void compute(INDArray weight, BiConsumer<NarrowProducts.Tile, double[]> use) {
        int columns = columns(weight);
        products.compute(
                rows(weight),
                columns,
                HostFloats.isPlain(weight)
                        ? (tile, into) -> read(tile, weight, columns, into)
                        : copied(weight, columns),
                use);
    }

    private static BiConsumer<NarrowProducts.Tile, double[]> copied(INDArray weight, int columns) {
        double[] numbers = numbers(weight.castTo(DataType.DOUBLE));
        return (tile, into) -> {
            for (int i = 0; i < tile.rows(); i++) {
                int from = (tile.row() + i) * columns + tile.column();
                System.arraycopy(numbers, from, into, i * tile.columns(), tile.columns());
            }
        };
    }

    private static void read(NarrowProducts.Tile tile, INDArray weight, int columns, double[] into) {
        float[] row = new float[tile.columns()];
        for (int i = 0; i < tile.rows(); i++) {
            HostFloats.read(weight, (long) (tile.row() + i) * columns + tile.column(), row);
            int start = i * row.length;
            for (int j = 0; j < row.length; j++) {
                into[start + j] = row[j];
            }
        }
    }

    private static void write(NarrowProducts.Tile tile, double[] sums, INDArray target, int columns) {
        float[] row = new float[tile.columns()];
        for (int i = 0; i < tile.rows(); i++) {
            int start = i * row.length;
            for (int j = 0; j < row.length; j++) {
                row[j] = (float) sums[start + j];
            }
            HostFloats.write(row, target, (long) (tile.row() + i) * columns + tile.column());
        }
    }
}
