package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.scaled;

import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;

/** A number times a matrix product that nothing else reads: the product's own factor. */
final class ScaledProduct implements Form {
    @Override
    public Pattern pattern() {
        return scaled(op(Op.MatMul.class, Products::isPlain).as("product").once())
                .as("result")
                .where(match -> ProgramBuilder.joins(
                        match.op("result", Op.Unary.class).alpha(),
                        match.op("product", Op.MatMul.class).alpha()));
    }

    @Override
    public Tensor result(Match match) {
        double alpha = match.op("result", Op.Unary.class).alpha()
                * match.op("product", Op.MatMul.class).alpha();
        return Products.matmul(match, match.node("product"), alpha, null, null);
    }
}
