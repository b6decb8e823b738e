package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.reshaped;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;

/** A matrix product plus one number per column, also when the product is seen in another shape with the same columns. */
final class BiasedProduct implements Form {
    @Override
    public Pattern pattern() {
        Pattern product = op(Op.MatMul.class, op -> !op.bias()).as("product").once();
        return binary(BinaryKind.ADD, reshaped(product).once().as("sum"), any("bias"))
                .as("result")
                .where(BiasedProduct::fits);
    }

    private static boolean fits(Match match) {
        Tensor sum = match.old("sum");
        Tensor bias = match.old("bias");
        return sum.rank() > 0
                && bias.rank() > 0
                && sum.size(-1) == match.old("product").size(-1)
                && bias.length() == sum.size(-1)
                && bias.size(-1) == sum.size(-1)
                && match.old("result").hasShape(sum.shape());
    }

    @Override
    public Tensor result(Match match) {
        Node product = match.node("product");
        Op.MatMul op = match.op("product", Op.MatMul.class);
        Tensor bias = match.get("bias");
        Tensor sum = Products.matmul(
                match,
                product,
                op.alpha(),
                match.builder().reshape(bias, bias.length()),
                op.accumulate() ? match.site().get(product.input(2)) : null);
        return match.builder().reshape(sum, match.old("result").shape());
    }
}
