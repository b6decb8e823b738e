package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chooses the kernel of a node. */
final class Emitter {
    private final Kernels kernels;
    private final LayerKernels layers;

    /** Makes kernels that share working memory. */
    Emitter(Workspace workspace) {
        kernels = new Kernels(workspace);
        layers = new LayerKernels(workspace);
    }

    /**
     * Returns the kernel.
     *
     * @param node a node that is not a view and not a concatenation
     * @param in operands of its inputs; those it accumulates to excepted
     * @param out operands of its outputs
     * @param packed copies of the matrix that a product multiplies by; null if it may change at any time
     */
    Kernel emit(Node node, List<Operand> in, List<Operand> out, PackedMatrices.@Nullable Matrix packed) {
        Op op = node.op();
        Operand y = out.get(0);
        if (op instanceof Op.Nd4j call) {
            return new Nd4jKernel(call.call(), in, out);
        }
        if (op instanceof Op.MatMul product) {
            Operand bias = product.bias() ? in.get(2) : null;
            return kernels.matmul(in.get(0), in.get(1), packed, bias, y, product.alpha(), product.accumulate());
        }
        if (op instanceof Op.MaskedMatMul product) {
            return kernels.matmulMasked(in.get(0), in.get(1), in.get(2), y, product.alpha());
        }
        if (op instanceof Op.Unary unary) {
            return kernels.unary(unary.kind(), unary.alpha(), unary.beta(), in.get(0), y);
        }
        if (op instanceof Op.UnaryGrad unary) {
            return kernels.unaryGrad(unary.kind(), unary.alpha(), unary.beta(), in.get(0), in.get(1), y);
        }
        if (op instanceof Op.Binary binary) {
            return kernels.binary(binary.kind(), in.get(0), in.get(1), y);
        }
        if (op instanceof Op.Dropout dropout) {
            return kernels.dropout(dropout.site(), in.get(0), in.get(1), y);
        }
        if (op instanceof Op.Reduce reduce) {
            return kernels.reduce(reduce.kind(), in.get(0), y);
        }
        if (op instanceof Op.Cast) {
            return kernels.copy(in.get(0), y);
        }
        if (op instanceof Op.Fill fill) {
            return kernels.fill(fill.value(), y);
        }
        return layer(op, in, out);
    }

    private Kernel layer(Op op, List<Operand> in, List<Operand> out) {
        Operand y = out.get(0);
        if (op instanceof Op.Softmax) {
            return layers.softmax(in.get(0), y);
        }
        if (op instanceof Op.SoftmaxGrad) {
            return layers.softmaxGrad(in.get(0), in.get(1), y);
        }
        if (op instanceof Op.Attention attention) {
            Operand mask = attention.mask() ? in.get(3) : null;
            return layers.attention(in.get(0), in.get(1), in.get(2), mask, attention.scale(), y);
        }
        if (op instanceof Op.AttentionGrad attention) {
            Operand mask = attention.mask() ? in.get(4) : null;
            return layers.attentionGrad(
                    in.get(0), in.get(1), in.get(2), in.get(3), mask, attention.scale(), y, out.get(1), out.get(2));
        }
        if (op instanceof Op.LayerNorm norm) {
            Operand scale = norm.scale() ? in.get(1) : null;
            Operand shift = norm.shift() ? in.get(norm.scale() ? 2 : 1) : null;
            return layers.layerNorm(norm.epsilon(), in.get(0), scale, shift, y, out.get(1), out.get(2));
        }
        if (op instanceof Op.LayerNormGrad norm) {
            Operand scale = norm.scale() ? in.get(4) : null;
            return layers.layerNormGrad(
                    norm.epsilon(),
                    in.get(0),
                    in.get(1),
                    in.get(2),
                    in.get(3),
                    scale,
                    y,
                    optional(out, 1),
                    optional(out, 2));
        }
        if (op instanceof Op.RmsNorm norm) {
            return layers.rmsNorm(norm.epsilon(), in.get(0), norm.scale() ? in.get(1) : null, y, out.get(1));
        }
        if (op instanceof Op.RmsNormGrad norm) {
            return layers.rmsNormGrad(
                    in.get(0), in.get(1), in.get(2), norm.scale() ? in.get(3) : null, y, optional(out, 1));
        }
        if (op instanceof Op.Gather) {
            return layers.gatherRows(in.get(0), in.get(1), y);
        }
        if (op instanceof Op.WriteRows) {
            return layers.writeRows(in.get(1), in.get(2), y);
        }
        if (op instanceof Op.GatherGrad) {
            return layers.scatterAddRows(in.get(0), in.get(1), y);
        }
        if (op instanceof Op.CrossEntropy) {
            return layers.crossEntropy(in.get(0), in.get(1), in.get(2), y, out.get(1));
        }
        if (op instanceof Op.CrossEntropyGrad) {
            return layers.crossEntropyGrad(in.get(0), in.get(1), in.get(2), in.get(3), in.get(4), y);
        }
        throw new IllegalStateException("no kernel for " + op.title());
    }

    private static @Nullable Operand optional(List<Operand> operands, int index) {
        return index < operands.size() ? operands.get(index) : null;
    }
}
