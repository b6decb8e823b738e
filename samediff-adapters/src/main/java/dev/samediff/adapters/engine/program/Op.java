package dev.samediff.adapters.engine.program;

import dev.samediff.adapters.engine.nd4j.NativeOp;
import java.util.List;

/**
 * What a node computes. Shapes are those of its tensors; n counts all leading axes together.
 */
public sealed interface Op {
    /** An input seen in another way; computes nothing if the layout allows it. */
    sealed interface View extends Op {}

    /** The elements in row-major order, in the output's shape. */
    record Reshape() implements View {}

    /** The input as it is; no gradient goes through. */
    record Detach() implements View {}

    /** Output axis i is input axis {@code axes[i]}. */
    record Permute(List<Integer> axes) implements View {
        public Permute {
            axes = List.copyOf(axes);
        }
    }

    /** The places {@code begin ...} of one axis, as many as the output has. */
    record Slice(int axis, long begin) implements View {}

    /** Axes of size 1 repeated to the output's size. */
    record Expand() implements View {}

    /** The inputs one behind the other. */
    record Concat(int axis) implements Op {}

    /** The same numbers in another type. */
    record Cast() implements Op {}

    /** One value everywhere. */
    record Fill(double value) implements Op {}

    /** Inputs: table [V,D], ids [n]; output [n,D]. */
    record Gather() implements Op {}

    /**
     * Inputs: a leaf [n,T,D] of which position {@code positions[b]} of each text b is overwritten, rows of n D elements,
     * positions [batch], where the texts are outermost in n; output: the leaf as it is then.
     */
    record WriteRows() implements Op {}

    /** Inputs: gradient [n,D], ids [n]; output: that of the table [V,D]. */
    record GatherGrad() implements Op {}

    /** An element-wise function with two parameters. */
    record Unary(UnaryKind kind, double alpha, double beta) implements Op {}

    /** Inputs: gradient, the function's input; output: the input's gradient. */
    record UnaryGrad(UnaryKind kind, double alpha, double beta) implements Op {}

    /**
     * Elements kept and divided by the share that is, or 0, by a mask of {@code graph.Dropout}; on the way back, the gradient by
     * the same mask. Inputs: x, a draw LONG [2].
     */
    record Dropout(long site) implements Op {}

    /** Element-wise, two inputs of equal rank; axes of size 1 are broadcast. */
    record Binary(BinaryKind kind) implements Op {}

    /** Reduces the axes of which the output has size 1 and the input has not. */
    record Reduce(ReduceKind kind) implements Op {}

    /**
     * {@code alpha a b}, then plus the bias, then plus what is accumulated to. Inputs: a [...,m,k], b [...,k,n], bias [n],
     * accumulated [...,m,n].
     */
    record MatMul(double alpha, boolean bias, boolean accumulate) implements Op {}

    /** Inputs: a [...,m,k], b [...,k,n], mask broadcastable to [...,m,n]; {@code alpha a b + mask}. */
    record MaskedMatMul(double alpha) implements Op {}

    /** Softmax along the last axis. */
    record Softmax() implements Op {}

    /** Inputs: softmax, its gradient; output: the input's gradient. */
    record SoftmaxGrad() implements Op {}

    /**
     * {@code softmax(scale q k^T + mask) v}. Inputs: q [b,h,t,d], k [b,h,s,d], v [b,h,s,e], mask if flagged, broadcastable to
     * [b,h,t,s].
     */
    record Attention(double scale, boolean mask) implements Op {}

    /** Inputs: gradient of the result, then those of {@link Attention}; outputs: gradients of q, k and v. */
    record AttentionGrad(double scale, boolean mask) implements Op {}

    /**
     * Layer normalisation of the last axis. Inputs: x [n,D], and scale [D] and shift [D] as flagged, no shift without a scale;
     * outputs: y, mean [n], biased variance [n].
     */
    record LayerNorm(double epsilon, boolean scale, boolean shift) implements Op {
        public LayerNorm {
            if (shift && !scale) {
                throw new IllegalArgumentException("a shift without a scale");
            }
        }
    }

    /**
     * Inputs: gradient [n,D], x [n,D], mean, variance, scale if flagged; outputs: gradient of x, and of scale and shift if
     * {@code parameters}.
     */
    record LayerNormGrad(double epsilon, boolean scale, boolean parameters) implements Op {}

    /** {@code x / sqrt(mean(x^2) + epsilon)} over the last axis. Inputs: x [n,D], scale [D] if flagged; outputs: y, 1 / root [n]. */
    record RmsNorm(double epsilon, boolean scale) implements Op {}

    /** Inputs: gradient, x, 1 / root, scale if flagged; outputs: gradient of x, and of scale if {@code parameters}. */
    record RmsNormGrad(boolean scale, boolean parameters) implements Op {}

    /**
     * Inputs: logits [n,V], labels [n], weights [n]; outputs: {@code sum_i w_i (logsumexp(z_i) - z_i[label_i])} and the n
     * log-sum-exps.
     */
    record CrossEntropy() implements Op {}

    /** Inputs: logits, labels, weights, log-sum-exps, gradient of the loss; output: gradient of the logits. */
    record CrossEntropyGrad() implements Op {}

    /** Anything else, as ND4J computes it; its derivative is SameDiff's. */
    record Nd4j(NativeOp call) implements Op {}

    /** Returns a short name for reports. */
    default String title() {
        if (this instanceof Nd4j op) {
            return "nd4j:" + op.call().op().opName();
        }
        if (this instanceof Unary op) {
            return "unary:" + op.kind();
        }
        if (this instanceof Binary op) {
            return "binary:" + op.kind();
        }
        return getClass().getSimpleName();
    }
}
