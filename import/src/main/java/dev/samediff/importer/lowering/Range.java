package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What elements of a tensor may be, as far as it follows from how it is computed. */
enum Range {
    /** Numbers of the size that weights and activations have. */
    FINITE,
    /** Numbers, some so large that their sums and products may be infinite, such as the lowest one in a mask. */
    LARGE,
    /** Infinities and NaN, too. */
    ANY;

    private static final double LARGEST = 1e18;

    /** Operators whose results may be infinite or no numbers although their inputs are finite. */
    private static final Set<String> OPENING =
            Set.of("Log", "Reciprocal", "Exp", "Pow", "Sqrt", "Acos", "Asin", "Atanh", "Acosh", "Tan", "Sinh", "Cosh");

    /** Operators that make infinities of large numbers. */
    private static final Set<String> ADDING = Set.of(
            "Add", "Sub", "Mul", "Div", "Sum", "Mean", "ReduceSum", "ReduceMean", "CumSum", "Einsum", "MatMul", "Gemm");

    /** Operators that make small numbers of large ones, and NaN of NaN. */
    private static final Set<String> BOUNDING =
            Set.of("Tanh", "Sigmoid", "Erf", "Sin", "Cos", "Softmax", "LayerNormalization", "RMSNormalization");

    /** Layers: products with weights of the file, which are taken to make finite numbers. */
    private static final Set<String> LAYERS = Set.of("MatMul", "Gemm", "Conv", "Einsum");

    /** Returns the range of known elements. */
    static Range of(HostTensor content) {
        if (!content.isFloating()) {
            return FINITE;
        }
        Range range = FINITE;
        for (double number : content.asDoubles()) {
            if (!Double.isFinite(number)) {
                return ANY;
            }
            range = Math.abs(number) > LARGEST ? LARGE : range;
        }
        return range;
    }

    /**
     * Returns the range of an operator's results.
     *
     * @param most the largest range of its inputs
     */
    static Range computed(String operator, List<@Nullable Value> inputs, Range most) {
        boolean layer =
                LAYERS.contains(operator) && inputs.stream().anyMatch(input -> input != null && input.stored() != null);
        if (layer) {
            return FINITE;
        }
        boolean divides = operator.equals("Div") && inputs.size() > 1 && isComputed(inputs.get(1));
        if (OPENING.contains(operator) || divides) {
            return ANY;
        }
        if (most == LARGE && ADDING.contains(operator)) {
            return ANY;
        }
        return most == LARGE && BOUNDING.contains(operator) ? FINITE : most;
    }

    private static boolean isComputed(@Nullable Value value) {
        return value != null && value.content() == null && value.stored() == null;
    }
}
