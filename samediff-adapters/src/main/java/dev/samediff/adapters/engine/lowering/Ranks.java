package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.Arrays;

/** The shapes that tensors of a program may have. */
final class Ranks {
    private Ranks() {}

    /**
     * Refuses other shapes.
     *
     * @param what what has the shape
     * @throws UncompilableException if it has more than {@link Tensor#MAX_RANK} axes, or no elements
     */
    static void require(String what, long... shape) {
        if (shape.length > Tensor.MAX_RANK) {
            throw new UncompilableException(what + " has " + shape.length + " axes " + Arrays.toString(shape)
                    + "; plans have tensors of up to " + Tensor.MAX_RANK);
        }
        if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
            throw new UncompilableException(what + " is empty " + Arrays.toString(shape));
        }
    }
}
