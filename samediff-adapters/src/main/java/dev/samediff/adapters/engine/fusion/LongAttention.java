package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.oneOf;
import static dev.samediff.adapters.engine.fusion.Pattern.op;

import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Attention over long texts, {@code softmax(alpha q k^T + mask) v}. Its kernel computes tiles of scores that stay in the cache,
 * leaves out what a causal mask hides, and keeps no probabilities for the backward pass. For short texts the products are as
 * fast.
 *
 * <p>The node has no derivative by the mask. Where something trainable reaches what is added to the scores, as the position
 * biases of T5 and Swin or the {@code q P} of DeBERTa and SAM, the products stay.
 */
final class LongAttention implements Form {
    /** Positions from which on tiles take less time than products, {@code docs/performance.md}. */
    static final long LEAST_POSITIONS = 256;

    @Override
    public Pattern pattern() {
        Pattern scores = oneOf(
                        op(Op.MaskedMatMul.class, op -> true, any("q"), any("k^T"), any("mask")),
                        op(Op.MatMul.class, Products::isPlain, any("q"), any("k^T")))
                .as("scores")
                .once();
        Pattern probabilities = op(Op.Softmax.class, op -> true, scores).once();
        return op(Op.MatMul.class, op -> Products.isPlain(op) && op.alpha() == 1, probabilities, any("v"))
                .as("result")
                .where(LongAttention::fits);
    }

    /** q [b,h,t,d], k^T [b,h,d,s], v [b,h,s,e], all float32 and long enough, and a mask that nothing trains. */
    private static boolean fits(Match match) {
        Tensor q = match.old("q");
        Tensor transposed = match.old("k^T");
        Tensor v = match.old("v");
        return isFloat4(q)
                && isFloat4(transposed)
                && isFloat4(v)
                && q.size(0) == transposed.size(0)
                && q.size(0) == v.size(0)
                && q.size(1) == transposed.size(1)
                && q.size(1) == v.size(1)
                && q.size(2) >= LEAST_POSITIONS
                && v.size(2) >= LEAST_POSITIONS
                && (!match.has("mask") || !match.site().isTrained(match.old("mask")));
    }

    private static boolean isFloat4(Tensor tensor) {
        return tensor.rank() == 4 && tensor.type() == DataType.FLOAT;
    }

    @Override
    public Tensor result(Match match) {
        boolean masked = match.has("mask");
        double alpha = masked
                ? match.op("scores", Op.MaskedMatMul.class).alpha()
                : match.op("scores", Op.MatMul.class).alpha();
        Tensor k = match.builder().permute(match.get("k^T"), 0, 1, 3, 2);
        List<Tensor> inputs = new ArrayList<>(List.of(match.get("q"), k, match.get("v")));
        if (masked) {
            inputs.add(match.get("mask"));
        }
        return match.builder()
                .add(
                        new Op.Attention(alpha, masked),
                        inputs,
                        DataType.FLOAT,
                        match.old("result").shape());
    }
}
