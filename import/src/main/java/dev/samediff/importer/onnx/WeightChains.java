package dev.samediff.importer.onnx;

import dev.samediff.importer.folding.FoldingBudget;
import dev.samediff.importer.folding.HostFolding;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Follows values back to the stored tensors they are computed from: slices, joins, shapes, orders of axes, and the
 * arithmetic of normalised weights.
 */
final class WeightChains {
    private static final int DEEPEST = 64;

    /** Whole numbers that say how a weight is cut are few. */
    private static final int MOST_PARAMETERS = 1 << 12;

    private final GraphRewriting graph;
    private final ExternalData files;
    private final int opset;
    private final Map<String, HostTensor> numbers;
    private final Set<String> open = new LinkedHashSet<>();
    private final FoldingBudget budget = new FoldingBudget();
    private final Map<String, Optional<WeightPart>> known = new HashMap<>();
    private final WeightCuts cuts = new WeightCuts(this::whole);

    /**
     * Follows the values of a graph.
     *
     * @param numbers whole numbers that are known beside those of the file, by the names of their values
     */
    WeightChains(GraphRewriting graph, ExternalData files, int opset, Map<String, HostTensor> numbers) {
        this.numbers = numbers;
        this.graph = graph;
        this.files = files;
        this.opset = opset;
    }

    /** The real numbers of a value, if it is computed from stored tensors only, in ways that are known. */
    Optional<WeightPart> of(String value) {
        return of(value, 0);
    }

    private Optional<WeightPart> of(String value, int depth) {
        Optional<WeightPart> before = known.get(value);
        if (before != null) {
            return before;
        }
        known.put(value, Optional.empty()); // for circles
        Optional<WeightPart> found = find(value, depth);
        known.put(value, found);
        return found;
    }

    private Optional<WeightPart> find(String value, int depth) {
        TensorProto stored = graph.stored(value);
        if (stored != null) {
            return isReal(stored.getDataType())
                    ? Optional.of(WeightPart.stored(new OnnxTensor(value, stored, files, null), stored.getDataType()))
                    : Optional.empty();
        }
        OnnxNode writer = graph.writer(value);
        if (writer == null || depth > DEEPEST) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(computed(writer, writer.outputs().indexOf(value), depth + 1));
        } catch (RuntimeException notValid) { // of inputs and attributes of any shape and number
            return Optional.empty(); // the importer says what is wrong with the node, if somebody needs it
        }
    }

    static boolean isReal(int type) {
        return switch (type) {
            case TensorProto.DataType.FLOAT_VALUE,
                    TensorProto.DataType.DOUBLE_VALUE,
                    TensorProto.DataType.FLOAT16_VALUE,
                    TensorProto.DataType.BFLOAT16_VALUE -> true;
            default -> false;
        };
    }

    private @Nullable WeightPart computed(OnnxNode node, int output, int depth) {
        return switch (node.operator()) {
            case "Add", "Sub", "Mul", "Div" -> arithmetic(node, depth);
            case "Concat" -> joined(node, depth);
            case "Pow" -> powered(node, depth);
            default -> ofOne(node, output, of(node.input(0), depth).orElse(null));
        };
    }

    private @Nullable WeightPart ofOne(OnnxNode node, int output, @Nullable WeightPart x) {
        if (x == null) {
            return null;
        }
        return switch (node.operator()) {
            case "Identity" -> x;
            case "Cast" -> isReal((int) node.integer("to", 1)) ? x.typed((int) node.integer("to", 1)) : null;
            case "Transpose" -> cuts.transposed(node, x);
            case "Reshape" -> cuts.reshaped(node, x);
            case "Squeeze", "Unsqueeze", "Flatten" -> cuts.withAxes(node, x);
            case "Slice" -> cuts.sliced(node, x);
            case "Split" -> cuts.split(node, x, output);
            case "Gather" -> cuts.picked(node, x);
            case "Sqrt" -> x.each(Transforms::sqrt);
            case "Neg" -> x.each(INDArray::neg);
            case "Reciprocal" -> x.each(array -> array.rdiv(1));
            case "ReduceSum" -> cuts.reduced(node, x, matrix -> matrix.sum(1));
            case "ReduceL2" -> cuts.reduced(node, x, matrix -> matrix.norm2(1));
            case "ReduceSumSquare" ->
                cuts.reduced(node, x, matrix -> matrix.mul(matrix).sum(1));
            default -> null;
        };
    }

    private @Nullable WeightPart arithmetic(OnnxNode node, int depth) {
        WeightPart left = of(node.input(0), depth).orElse(null);
        WeightPart right = of(node.input(1), depth).orElse(null);
        if (left == null || right == null) {
            return null;
        }
        return WeightPart.combined(
                left,
                right,
                switch (node.operator()) {
                    case "Add" -> INDArray::add;
                    case "Sub" -> INDArray::sub;
                    case "Mul" -> INDArray::mul;
                    default -> INDArray::div;
                });
    }

    private @Nullable WeightPart powered(OnnxNode node, int depth) {
        WeightPart x = of(node.input(0), depth).orElse(null);
        TensorProto exponent = graph.stored(node.input(1));
        if (x == null || exponent == null) {
            return null;
        }
        HostTensor number =
                new OnnxTensor(node.input(1), exponent, files, null).toHost().orElse(null);
        return number == null || !number.isSingle() || number.asDouble(0) != 2
                ? null
                : x.each(array -> array.mul(array));
    }

    private @Nullable WeightPart joined(OnnxNode node, int depth) {
        List<WeightPart> parts = new ArrayList<>();
        for (String input : node.inputs()) {
            WeightPart part = of(input, depth).orElse(null);
            if (part == null) {
                return null;
            }
            parts.add(part);
        }
        int axis = parts.get(0).axes(node, new long[] {node.integer("axis", 0)})[0];
        boolean fit =
                parts.stream().allMatch(part -> fits(part.shape(), parts.get(0).shape(), axis));
        return fit ? WeightPart.joined(parts, axis) : null;
    }

    private static boolean fits(long[] a, long[] b, int axis) {
        return a.length == b.length && IntStream.range(0, a.length).allMatch(i -> i == axis || a[i] == b[i]);
    }

    /** Returns the values of whole numbers that were asked for and are not known. */
    Set<String> open() {
        return Set.copyOf(open);
    }

    private @Nullable HostTensor whole(String value) {
        HostTensor found = whole(value, 0);
        if (found == null && graph.writer(value) != null) {
            open.add(value);
        }
        return found;
    }

    /** Whole numbers that are stored or computed from such. */
    private @Nullable HostTensor whole(String value, int depth) {
        HostTensor given = numbers.get(value);
        if (given != null) {
            return given;
        }
        TensorProto stored = graph.stored(value);
        if (stored != null) {
            OnnxTensor tensor = new OnnxTensor(value, stored, files, null);
            return tensor.length() > MOST_PARAMETERS ? null : tensor.toHost().orElse(null);
        }
        OnnxNode writer = graph.writer(value);
        if (writer == null || depth > DEEPEST) {
            return null;
        }
        if (writer.operator().equals("Shape")) {
            WeightPart part = of(writer.input(0)).orElse(null);
            return part == null || writer.has("start") ? null : HostTensor.vector(part.shape());
        }
        List<@Nullable HostTensor> inputs = new ArrayList<>();
        for (String input : writer.inputs()) {
            HostTensor known = input.isEmpty() ? null : whole(input, depth + 1);
            if (known == null && !input.isEmpty()) {
                return null;
            }
            inputs.add(known);
        }
        int output = writer.outputs().indexOf(value);
        return HostFolding.fold(writer, inputs, opset, budget)
                .map(results -> results.get(output))
                .orElse(null);
    }
}
