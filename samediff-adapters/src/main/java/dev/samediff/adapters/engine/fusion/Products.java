package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Writes matrix products that do more than multiply. */
final class Products {
    private Products() {}

    /**
     * Writes a product of the same two matrices.
     *
     * @param product the old product
     * @param bias of the new program
     * @param accumulated of the new program
     */
    static Tensor matmul(Match match, Node product, double alpha, @Nullable Tensor bias, @Nullable Tensor accumulated) {
        List<Tensor> inputs = new ArrayList<>(
                List.of(match.site().get(product.input(0)), match.site().get(product.input(1))));
        if (bias != null) {
            inputs.add(bias);
        }
        if (accumulated != null) {
            inputs.add(accumulated);
        }
        Op op = new Op.MatMul(alpha, bias != null, accumulated != null);
        return match.builder().add(op, inputs, DataType.FLOAT, product.output().shape());
    }

    /** Tells whether a product is nothing but a product. */
    static boolean isPlain(Op.MatMul product) {
        return !product.bias() && !product.accumulate();
    }
}
