package dev.samediff.importer.folding;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Axis numbers: negative ones count from the end; older operators keep them in an attribute, newer in an input. */
public final class Axes {
    private Axes() {}

    /**
     * Returns the axis counted from the front.
     *
     * @throws InvalidInputException if there is no such axis
     */
    public static int normalise(OnnxNode node, long axis, int rank) {
        long positive = axis < 0 ? axis + rank : axis;
        if (positive < 0 || positive >= rank) {
            throw new InvalidInputException(
                    node + " names axis " + axis + " of a tensor with " + rank + " axes" + NotValid.ONNX);
        }
        return (int) positive;
    }

    /** Returns the axes counted from the front, each once, in ascending order. */
    public static int[] normalise(OnnxNode node, long[] axes, int rank) {
        return Arrays.stream(axes)
                .mapToInt(axis -> normalise(node, axis, rank))
                .sorted()
                .distinct()
                .toArray();
    }

    /**
     * Returns the {@code axes} attribute, or the known tensor at position {@code index} of the inputs; null if both are
     * absent.
     */
    static long @Nullable [] of(OnnxNode node, List<@Nullable HostTensor> inputs, int index) {
        long[] attribute = node.integers("axes");
        if (attribute != null) {
            return attribute;
        }
        HostTensor input = index < inputs.size() ? inputs.get(index) : null;
        return input == null ? null : input.asLongs();
    }
}
