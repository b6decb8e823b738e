package dev.samediff.adapters.engine.kernel;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;

import java.util.function.Function;
import org.nd4j.linalg.api.buffer.DataType;

/** Attention as products and a softmax over whole tensors, whose probabilities are kept: what the fused kernel replaces. */
final class AttentionByProducts {
    private AttentionByProducts() {}

    static Kernel forward(long[] s, Operand mask, Function<long[], Operand> floats) {
        Operand p = floats.apply(new long[] {s[0], s[1], s[2], s[2]});
        Operand q = floats.apply(s);
        Operand k = floats.apply(s);
        return KernelSequence.of(
                new Kernels().matmulMasked(q, transposed(k), mask, p, 0.125),
                new LayerKernels().softmax(p, p),
                new Kernels().matmul(p, floats.apply(s), null, floats.apply(s), 1, false));
    }

    static Kernel backward(long[] s, Function<long[], Operand> floats) {
        Operand p = floats.apply(new long[] {s[0], s[1], s[2], s[2]});
        Operand dp = floats.apply(new long[] {s[0], s[1], s[2], s[2]});
        Operand dOut = floats.apply(s);
        Operand v = floats.apply(s);
        return KernelSequence.of(
                new Kernels().matmul(transposed(p), dOut, null, floats.apply(s), 1, false),
                new Kernels().matmul(dOut, transposed(v), null, dp, 1, false),
                new LayerKernels().softmaxGrad(p, dp, dp),
                new Kernels().matmul(dp, floats.apply(s), null, floats.apply(s), 0.125, false),
                new Kernels().matmul(transposed(dp), floats.apply(s), null, floats.apply(s), 0.125, false));
    }

    private static Operand transposed(Operand x) {
        long[] s = x.shape();
        long[] t = x.strides();
        Operand result = new Operand(
                DataType.FLOAT, new long[] {s[0], s[1], s[3], s[2]}, new long[] {t[0], t[1], t[3], t[2]});
        result.place(x.address());
        return result;
    }
}
