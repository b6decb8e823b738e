package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.oneOf;
import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.reshaped;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;

/**
 * A normalisation times one number per column. The columns are those that were normalised: a norm per head with a scale of
 * the whole width, or of the whole width with a scale per head, is another thing and left alone.
 */
final class NormalizationScale implements Form {
    private static final Pattern LAYER = op(Op.LayerNorm.class, norm -> !norm.scale() && !norm.shift(), any("x"))
            .as("layer norm");
    private static final Pattern ROOT_MEAN_SQUARE =
            op(Op.RmsNorm.class, norm -> !norm.scale(), any("x")).as("rms norm");

    @Override
    public Pattern pattern() {
        Pattern norm = reshaped(oneOf(LAYER, ROOT_MEAN_SQUARE).once()).once().as("y");
        return binary(BinaryKind.MULTIPLY, norm, any("scale")).as("result").where(NormalizationScale::fits);
    }

    private static boolean fits(Match match) {
        Tensor y = match.old("y");
        return y.rank() > 0
                && y.size(-1) == match.old("x").size(-1)
                && Norms.isPerColumn(y, match.old("scale"))
                && match.old("result").hasShape(y.shape());
    }

    @Override
    public Tensor result(Match match) {
        Tensor normalized = match.has("layer norm")
                ? Norms.layer(
                        match.builder(),
                        match.op("layer norm", Op.LayerNorm.class).epsilon(),
                        match.get("x"),
                        match.get("scale"),
                        null)
                : Norms.rootMeanSquare(
                        match.builder(),
                        match.op("rms norm", Op.RmsNorm.class).epsilon(),
                        match.get("x"),
                        match.get("scale"));
        return match.builder().reshape(normalized, match.old("result").shape());
    }
}
