package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Most tokens a model can see: a fixed input shape, or the height of its table of learned positions. */
final class ContextLength {
    private static final int DEFAULT = 256;

    private ContextLength() {}

    /**
     * Returns the user's length if the model allows it, otherwise the model's own, at most {@value #DEFAULT}.
     *
     * @throws InvalidInputException if the user's length is more than the model allows
     */
    static int of(SameDiff graph, InputBinding inputs, Optional<Integer> requested) {
        OptionalInt limit = inputs.fixedLength().isPresent() ? inputs.fixedLength() : positions(graph);
        if (requested.isEmpty()) {
            return inputs.fixedLength().orElse(Math.min(DEFAULT, limit.orElse(DEFAULT)));
        }
        int length = requested.get();
        if (length < 2 || (limit.isPresent() && length > limit.getAsInt())) {
            throw new InvalidInputException("--max-length " + length + " is outside what this model sees, 2 to "
                    + (limit.isPresent() ? limit.getAsInt() : "any number of") + " tokens");
        }
        return inputs.fixedLength().orElse(length);
    }

    private static OptionalInt positions(SameDiff graph) {
        LongStream heights = graph.variables().stream()
                .filter(variable -> isPositionTable(variable.name()))
                .map(SDVariable::getArr)
                .filter(array -> array != null && array.rank() == 2)
                .mapToLong((INDArray array) -> array.size(0));
        return heights.mapToInt(Math::toIntExact).min();
    }

    private static boolean isPositionTable(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith("wpe.weight")
                || (lower.contains("position") && lower.contains("embed") && lower.endsWith("weight"));
    }
}
