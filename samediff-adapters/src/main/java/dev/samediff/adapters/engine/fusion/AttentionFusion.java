package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Rewrite;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Attention over long texts, softmax(alpha q k^T + mask) v, becomes one node. Its kernel computes tiles of scores that stay in
 * the cache, leaves out what a causal mask hides, and keeps no probabilities for the backward pass. For short texts the
 * products of {@link Fusion} are as fast.
 */
public final class AttentionFusion extends Rewrite {
    /** Positions from which on tiles take less time than products, {@code docs/performance.md}. */
    private static final long LEAST_POSITIONS = 256;

    private AttentionFusion(Program program) {
        super(program);
    }

    /** Returns an equivalent program. */
    public static Program apply(Program program) {
        return new AttentionFusion(program).run();
    }

    @Override
    protected @Nullable Tensor replacement(Node node) {
        if (!(node.op() instanceof Op.MatMul op) || op.bias() || op.accumulate() || op.alpha() != 1) {
            return null;
        }
        Node softmax = onlyReadHere(node.input(0));
        Node scores = softmax != null && softmax.op() instanceof Op.Softmax ? onlyReadHere(softmax.input(0)) : null;
        if (scores == null) {
            return null;
        }
        if (scores.op() instanceof Op.MaskedMatMul product) {
            return attention(node, scores, product.alpha(), scores.input(2));
        }
        return scores.op() instanceof Op.MatMul product && !product.bias() && !product.accumulate()
                ? attention(node, scores, product.alpha(), null)
                : null;
    }

    private @Nullable Tensor attention(Node node, Node scores, double alpha, @Nullable Tensor mask) {
        Tensor q = scores.input(0);
        Tensor transposed = scores.input(1);
        Tensor v = node.input(1);
        if (!isOne(q, transposed, v)) {
            return null;
        }
        Tensor k = builder.permute(get(transposed), 0, 1, 3, 2);
        List<Tensor> inputs = new ArrayList<>(List.of(get(q), k, get(v)));
        if (mask != null) {
            inputs.add(get(mask));
        }
        return builder.add(
                new Op.Attention(alpha, mask != null),
                inputs,
                DataType.FLOAT,
                node.output().shape());
    }

    /** q [b,h,t,d], k^T [b,h,d,s], v [b,h,s,e], all float32 and long enough. */
    private static boolean isOne(Tensor q, Tensor transposed, Tensor v) {
        boolean ranks = q.rank() == 4 && transposed.rank() == 4 && v.rank() == 4;
        boolean floats =
                q.type() == DataType.FLOAT && transposed.type() == DataType.FLOAT && v.type() == DataType.FLOAT;
        return ranks
                && floats
                && q.size(0) == transposed.size(0)
                && q.size(0) == v.size(0)
                && q.size(1) == transposed.size(1)
                && q.size(1) == v.size(1)
                && q.size(2) >= LEAST_POSITIONS
                && v.size(2) >= LEAST_POSITIONS;
    }
}
