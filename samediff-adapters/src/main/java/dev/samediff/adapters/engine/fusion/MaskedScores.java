package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.oneOf;
import static dev.samediff.adapters.engine.fusion.Pattern.op;
import static dev.samediff.adapters.engine.fusion.Pattern.scaled;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code softmax(alpha q k + mask)}: the product adds the mask. The mask may also be written as a choice between the scores
 * and a large negative number, {@code c scores + (1 - c) (-3e38)}: a factor that is 0 only where the mask hides the score
 * anyway changes nothing.
 */
final class MaskedScores implements Form {
    /** A score with this or less added has the probability 0 beside one without. */
    private static final float HIDES = -1e9f;

    @Override
    public Pattern pattern() {
        Pattern product = op(Op.MatMul.class, Products::isPlain).as("product").once();
        Pattern scores =
                oneOf(product.as("scores"), scaled(product).as("scores").once());
        Pattern chosen =
                binary(BinaryKind.MULTIPLY, scores, any("factor")).as("masked").once();
        Pattern masked = oneOf(
                binary(BinaryKind.ADD, scores.as("masked"), any("mask")),
                binary(BinaryKind.ADD, chosen, any("mask")).where(MaskedScores::isImplied));
        return op(Op.Softmax.class, op -> true, masked.as("sum").once()).where(MaskedScores::fits);
    }

    /** Nothing is repeated: the mask is as large as the scores, or smaller. */
    private static boolean fits(Match match) {
        Tensor scores = match.old("scores");
        return match.old("sum").hasShape(scores.shape())
                && match.old("masked").hasShape(scores.shape())
                && match.old("mask").type() == DataType.FLOAT;
    }

    /**
     * Tells whether the factor is 0 or 1 everywhere, and 0 only where the mask added to the product is so low that the softmax
     * is 0 there anyway. Both are seen with the axes of the scores.
     */
    private static boolean isImplied(Match match) {
        Tensor factor = match.old("factor");
        Tensor mask = match.old("mask");
        INDArray f = match.site().literal(factor);
        INDArray m = match.site().literal(mask);
        if (f == null || m == null || !factor.hasShape(mask.shape()) || mask.rank() == 0) {
            return false;
        }
        float[] on = f.dup('c').data().asFloat();
        float[] added = m.dup('c').data().asFloat();
        int row = Math.toIntExact(mask.size(-1));
        for (int start = 0; start < added.length; start += row) {
            if (!isImplied(on, added, start, row)) {
                return false;
            }
        }
        return true;
    }

    /**
     * The same for one row, of which something must be seen: a row that is hidden whole has equal probabilities and no slope by
     * its scores with the factor, and has one without.
     */
    private static boolean isImplied(float[] on, float[] added, int start, int row) {
        boolean shows = false;
        for (int i = start; i < start + row; i++) {
            boolean shown = on[i] == 1 && added[i] == 0;
            boolean hidden = on[i] == 0 && added[i] <= HIDES;
            if (!shown && !hidden) {
                return false;
            }
            shows |= shown;
        }
        return shows;
    }

    @Override
    public Tensor result(Match match) {
        Node product = match.node("product");
        Tensor scores = match.old("scores");
        double factor = scores == match.old("product")
                ? 1
                : match.op("scores", Op.Unary.class).alpha();
        Op.MatMul op = match.op("product", Op.MatMul.class);
        Tensor masked = match.builder()
                .add(
                        new Op.MaskedMatMul(op.alpha() * factor),
                        List.of(
                                match.site().get(product.input(0)),
                                match.site().get(product.input(1)),
                                match.get("mask")),
                        DataType.FLOAT,
                        scores.shape());
        return match.builder().softmax(masked);
    }
}
