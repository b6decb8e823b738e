package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Op;

/** Which kernels may write where they read, and which may write with any strides. */
final class InPlace {
    private static final int[] NONE = {};
    private static final int[] FIRST = {0};
    private static final int[] SECOND = {1};
    private static final int[] BOTH = {0, 1};

    private InPlace() {}

    /** Returns the inputs that the first output may overwrite, the best first. */
    static int[] candidates(Op op) {
        if (op instanceof Op.Unary || op instanceof Op.UnaryGrad || op instanceof Op.Softmax) {
            return FIRST;
        }
        if (op instanceof Op.Binary) {
            return BOTH;
        }
        if (op instanceof Op.SoftmaxGrad) {
            return SECOND;
        }
        return op instanceof Op.CrossEntropyGrad ? FIRST : NONE;
    }

    /** Tells whether the inputs may have any strides, as long as elements do not share memory. */
    static boolean readsAnywhere(Op op) {
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
