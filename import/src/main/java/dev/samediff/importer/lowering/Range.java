package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Fill;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** What elements of a tensor may be, as far as it follows from how it is computed. */
enum Range {
    /** Numbers of the size that weights and activations have. */
    FINITE,
    /** Numbers, some so large that their sums and products may be infinite, such as the lowest one in a mask. */
    LARGE,
    /** Infinities and NaN, too. */
    ANY;

    private static final double LARGEST = 1e18;

    /** Elements of a mask [4096, 4096]. */
    private static final int MOST_READ = 1 << 24;

    /** Operators whose results may be infinite or no numbers although their inputs are finite. */
    private static final Set<String> OPENING = Set.of(
            "Log",
            "Reciprocal",
            "Exp",
            "Pow",
            "Sqrt",
            "Acos",
            "Asin",
            "Atanh",
            "Acosh",
            "Tan",
            "Sinh",
            "Cosh",
            "ReduceLogSum");

    /** Operators that divide by their second input. */
    private static final Set<String> DIVIDING = Set.of("Div", "Mod");

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

    /** Returns the range of a tensor of the file; one with too many elements to look at is taken for a weight. */
    static Range of(OnnxTensor tensor) {
        if (!tensor.type().isFPType() || tensor.length() > MOST_READ) {
            return FINITE;
        }
        double largest = tensor.largest();
        return Double.isInfinite(largest) ? ANY : largest > LARGEST ? LARGE : FINITE;
    }

    /** Tells whether an operator on these inputs is a layer, whose results are taken to be finite. */
    static boolean isLayer(String operator, List<@Nullable Value> inputs) {
        return LAYERS.contains(operator) && inputs.stream().anyMatch(input -> input != null && input.stored() != null);
    }

    /** Returns the range of the numbers that a node writes into its result and that stand in the node itself. */
    static Range written(OnnxNode node) {
        return switch (node.operator()) {
            case "ConstantOfShape" -> of(Fill.of(node));
            case "Pad" -> of(HostTensor.filled(DataType.FLOAT, new long[0], node.real("value", 0)));
            default -> FINITE;
        };
    }

    /**
     * Returns the range of the results of an operator that is no layer.
     *
     * @param most the largest range of its inputs
     */
    static Range computed(String operator, List<@Nullable Value> inputs, Range most) {
        boolean divides = DIVIDING.contains(operator) && inputs.size() > 1 && isComputed(inputs.get(1));
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
