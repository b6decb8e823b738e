package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.stream.Stream;

/** How much there is to do in a node, roughly. */
final class Effort {
    /** Some 60 microseconds of a core: what it costs to wake another one that sleeps. */
    private static final long SMALL_PRODUCT = 1L << 24;

    private static final long SMALL_TENSOR = 1L << 17;

    private Effort() {}

    /** Tells whether a second thread would cost more than it saves. */
    static boolean isSmall(Node node) {
        if (node.op() instanceof Op.MatMul || node.op() instanceof Op.MaskedMatMul) {
            Tensor a = node.input(0);
            return 2 * node.output().length() * a.size(a.rank() - 1) < SMALL_PRODUCT;
        }
        return Stream.concat(node.inputs().stream(), node.outputs().stream())
                        .mapToLong(Tensor::length)
                        .max()
                        .orElse(0)
                < SMALL_TENSOR;
    }
}
