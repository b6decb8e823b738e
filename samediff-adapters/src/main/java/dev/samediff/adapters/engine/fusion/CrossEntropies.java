package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Recognises the cross entropy of {@code train.Losses}: {@code sum_i w_i (log sum_j exp(z_ij - m_i) - (z_i,label_i - m_i))},
 * whatever m is.
 */
public final class CrossEntropies {
    private final ProgramBuilder builder;

    public CrossEntropies(ProgramBuilder builder) {
        this.builder = builder;
    }

    /** Returns the loss if {@code x} are its weighted rows, about to be summed. */
    @Nullable
    public Tensor recognize(Tensor x) {
        Node product = node(x, BinaryKind.MULTIPLY);
        if (product == null) {
            return null;
        }
        Tensor loss = recognize(product.input(0), product.input(1));
        return loss != null ? loss : recognize(product.input(1), product.input(0));
    }

    private @Nullable Tensor recognize(Tensor rows, Tensor weights) {
        Node difference = node(rows, BinaryKind.SUBTRACT);
        if (difference == null) {
            return null;
        }
        Node log = node(behindReshape(difference.input(0)), UnaryKind.LOG);
        Node sum = log == null ? null : sum(behindReshape(log.input(0)));
        Node exp = sum == null ? null : node(sum.input(0), UnaryKind.EXP);
        Node picked = sum(behindReshape(difference.input(1)));
        Node chosen = picked == null ? null : node(picked.input(0), BinaryKind.MULTIPLY);
        if (exp == null || chosen == null) {
            return null;
        }
        Tensor shifted = exp.input(0);
        Node shift = node(shifted, BinaryKind.SUBTRACT);
        Tensor logits = shift == null ? shifted : shift.input(0);
        if (shift != null && shift.input(1).size(-1) != 1) {
            return null;
        }
        Tensor labels = chosen.input(0) == shifted ? labels(chosen.input(1)) : null;
        if (labels == null
                || logits.rank() != 2
                || labels.length() != logits.size(0)
                || weights.length() != logits.size(0)) {
            return null;
        }
        long n = logits.size(0);
        return builder.add(
                        new Op.CrossEntropy(),
                        List.of(logits, builder.reshape(labels, n), builder.reshape(weights, n)),
                        List.of(DataType.FLOAT, DataType.FLOAT),
                        List.of(new long[] {}, new long[] {n}))
                .get(0);
    }

    /** The labels of {@code cast(labels[n,1] == [0, 1, ... V-1])}. */
    private @Nullable Tensor labels(Tensor oneHot) {
        Node cast = nd4j(oneHot, "cast");
        Node equals = cast == null ? null : nd4j(cast.input(0), "equals");
        if (equals == null) {
            return null;
        }
        Tensor left = behindReshape(equals.input(0));
        return isRange(equals.input(1)) && left.type() == DataType.INT ? left : null;
    }

    private boolean isRange(Tensor tensor) {
        INDArray value = builder.literal(behindReshape(tensor));
        if (value == null || value.isEmpty()) {
            return false;
        }
        for (long i = 0; i < value.length(); i++) {
            if (value.getLong(i) != i) {
                return false;
            }
        }
        return true;
    }

    private Tensor behindReshape(Tensor tensor) {
        Node node = builder.producer(tensor);
        return node != null && node.op() instanceof Op.Reshape ? node.input(0) : tensor;
    }

    private @Nullable Node nd4j(Tensor tensor, String name) {
        Node node = builder.producer(tensor);
        return node != null
                        && node.op() instanceof Op.Nd4j op
                        && op.call().op().opName().equals(name)
                ? node
                : null;
    }

    private @Nullable Node node(Tensor tensor, BinaryKind kind) {
        Node node = builder.producer(tensor);
        return node != null && node.op() instanceof Op.Binary op && op.kind() == kind ? node : null;
    }

    private @Nullable Node node(Tensor tensor, UnaryKind kind) {
        Node node = builder.producer(tensor);
        return node != null && node.op() instanceof Op.Unary op && op.kind() == kind ? node : null;
    }

    private @Nullable Node sum(Tensor tensor) {
        Node node = builder.producer(tensor);
        return node != null
                        && node.op() instanceof Op.Reduce op
                        && op.kind() == ReduceKind.SUM
                        && node.output().length() == node.input(0).size(0)
                ? node
                : null;
    }
}
