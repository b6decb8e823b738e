package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.reshaped;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;

/** A scaled layer normalisation plus one number per normalised column. */
final class NormalizationShift implements Form {
    @Override
    public Pattern pattern() {
        Pattern norm = op(Op.LayerNorm.class, op -> op.scale() && !op.shift(), any("x"), any("scale"))
                .as("norm")
                .once();
        return binary(BinaryKind.ADD, reshaped(norm).once().as("y"), any("shift"))
                .as("result")
                .where(NormalizationShift::fits);
    }

    private static boolean fits(Match match) {
        Tensor y = match.old("y");
        return y.rank() > 0
                && y.size(-1) == match.old("x").size(-1)
                && Norms.isPerColumn(y, match.old("shift"))
                && match.old("result").hasShape(y.shape());
    }

    @Override
    public Tensor result(Match match) {
        Tensor normalized = Norms.layer(
                match.builder(),
                match.op("norm", Op.LayerNorm.class).epsilon(),
                match.get("x"),
                match.get("scale"),
                match.get("shift"));
        return match.builder().reshape(normalized, match.old("result").shape());
    }
}
