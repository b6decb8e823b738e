package dev.samediff.importer.tensorflow;

import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.DataType;

/**
 * Truth values that are known while importing: constants, what is computed from them, defaults that nobody feeds, and Keras'
 * learning phase, which is that of inference.
 */
final class Predicates {
    private static final int DEEPEST = 64;

    private final Function<String, @Nullable TensorFlowNode> writers;

    /** Starts with the node that writes a tensor; null if none does. */
    Predicates(Function<String, @Nullable TensorFlowNode> writers) {
        this.writers = writers;
    }

    /** Returns the truth value of a tensor, if it is known. */
    Optional<Boolean> of(String tensor) {
        return of(tensor, 0);
    }

    private Optional<Boolean> of(String tensor, int depth) {
        TensorFlowNode node = writers.apply(tensor);
        if (node == null || depth > DEEPEST) {
            return Optional.empty();
        }
        return switch (node.operator()) {
            case "Const" -> constant(node);
            case "LogicalNot" -> input(node, 0, depth).map(truth -> !truth);
            case "LogicalAnd" -> both(node, depth, false);
            case "LogicalOr" -> both(node, depth, true);
            case "Placeholder" -> learningPhase(node);
            default -> Passing.isPassing(node.operator()) ? input(node, 0, depth) : Optional.empty();
        };
    }

    private Optional<Boolean> input(TensorFlowNode node, int index, int depth) {
        return index < node.inputs().size() ? of(node.inputs().get(index), depth + 1) : Optional.empty();
    }

    /** One truth value decides if it is the deciding one. */
    private Optional<Boolean> both(TensorFlowNode node, int depth, boolean deciding) {
        Optional<Boolean> left = input(node, 0, depth);
        Optional<Boolean> right = input(node, 1, depth);
        if (left.filter(truth -> truth == deciding).isPresent()
                || right.filter(truth -> truth == deciding).isPresent()) {
            return Optional.of(deciding);
        }
        return left.isPresent() && right.isPresent() ? Optional.of(!deciding) : Optional.empty();
    }

    private static Optional<Boolean> constant(TensorFlowNode node) {
        AttrValue value = node.attribute("value");
        if (value == null) {
            return Optional.empty();
        }
        StoredTensor tensor = StoredTensor.of(value.getTensor(), node.toString());
        boolean whole = switch (tensor.type()) {
            case DT_BOOL, DT_INT32, DT_INT64, DT_UINT8, DT_INT8 -> true;
            default -> false;
        };
        long[] numbers = whole ? tensor.longs() : new long[0];
        return numbers.length == 1 ? Optional.of(numbers[0] != 0) : Optional.empty();
    }

    private static Optional<Boolean> learningPhase(TensorFlowNode node) {
        return node.type("dtype", DataType.DT_FLOAT) == DataType.DT_BOOL
                        && node.name().toLowerCase(Locale.ROOT).contains("learning_phase")
                ? Optional.of(false)
                : Optional.empty();
    }
}
