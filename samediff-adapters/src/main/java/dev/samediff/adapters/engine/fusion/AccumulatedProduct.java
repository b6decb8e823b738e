package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.reshaped;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;

/** A tensor plus a matrix product of as many elements in the same order: the product adds to it. */
final class AccumulatedProduct implements Form {
    /** Products of higher rank have a layout of their own where their result is permuted later. */
    private static final int LARGEST_RANK = 3;

    @Override
    public Pattern pattern() {
        Pattern product =
                op(Op.MatMul.class, op -> !op.accumulate()).as("product").once();
        return binary(BinaryKind.ADD, any("target"), reshaped(product).once().as("sum"))
                .as("result")
                .where(AccumulatedProduct::fits);
    }

    private static boolean fits(Match match) {
        return match.old("target").hasShape(match.old("sum").shape())
                && match.old("product").rank() <= LARGEST_RANK;
    }

    @Override
    public Tensor result(Match match) {
        Node product = match.node("product");
        Op.MatMul op = match.op("product", Op.MatMul.class);
        Tensor target =
                match.builder().reshape(match.get("target"), product.output().shape());
        Tensor sum = Products.matmul(
                match, product, op.alpha(), op.bias() ? match.site().get(product.input(2)) : null, target);
        return match.builder().reshape(sum, match.old("result").shape());
    }
}
