package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.Op;
import java.util.List;

/** Which kernels may write where they read, and which read and write with any strides. */
final class LayoutRules {
    private LayoutRules() {}

    /** Returns the inputs that the first output may overwrite, the best first. */
    static List<Integer> inPlace(Op op) {
        if (op instanceof Op.Unary
                || op instanceof Op.UnaryGrad
                || op instanceof Op.Softmax
                || op instanceof Op.Dropout) {
            return List.of(0);
        }
        if (op instanceof Op.Binary) {
            return List.of(0, 1);
        }
        if (op instanceof Op.SoftmaxGrad) {
            return List.of(1);
        }
        return op instanceof Op.CrossEntropyGrad ? List.of(0) : List.of();
    }

    /** Tells whether an input is read as it lies. */
    static boolean reads(Op op, Operand x) {
        return x.isDense() || op instanceof Op.Binary || (readsStrided(op) && !x.isBroadcast());
    }

    private static boolean readsStrided(Op op) {
        return op instanceof Op.MatMul
                || op instanceof Op.MaskedMatMul
                || op instanceof Op.Attention
                || op instanceof Op.AttentionGrad
                || op instanceof Op.Reduce
                || op instanceof Op.Unary;
    }

    /** Tells whether the result may be given any strides without loss of speed. */
    static boolean writesAnywhere(Op op) {
        return op instanceof Op.MatMul
                || op instanceof Op.Attention
                || op instanceof Op.AttentionGrad
                || op instanceof Op.Fill;
    }
}
