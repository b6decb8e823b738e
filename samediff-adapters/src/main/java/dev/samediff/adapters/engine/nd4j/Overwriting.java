package dev.samediff.adapters.engine.nd4j;

import java.util.Set;

/** Ops that can be given used memory for their results. */
public final class Overwriting {
    /**
     * Ops seen to write all of their output, so that used memory can be given to them as it is. All others get zeros.
     */
    private static final Set<String> NAMES = Set.of(
            "matmul",
            "matmul_bp",
            "add",
            "subtract",
            "multiply",
            "divide",
            "add_bp",
            "subtract_bp",
            "multiply_bp",
            "divide_bp",
            "reshape",
            "permute",
            "transpose",
            "softmax",
            "softmax_bp",
            "layer_norm",
            "layer_norm_bp",
            "tanh",
            "tanh_bp",
            "exp",
            "log",
            "erf",
            "sqrt",
            "rsqrt",
            "square",
            "neg",
            "onehot",
            "mul_scalar",
            "add_scalar",
            "div_scalar",
            "sub_scalar",
            "rdiv_scalar",
            "rsub_scalar",
            "cast",
            "identity",
            "cube",
            "concat",
            "split",
            "pow",
            "_powderivative",
            "ClipByValue",
            "abs",
            "sigmoid",
            "sigmoid_bp",
            "reduce_sum",
            "reduce_mean",
            "reduce_max",
            "reduce_sum_bp",
            "reduce_mean_bp");

    private Overwriting() {}

    /** Tells whether an op of this name writes all of its output; any other must find zeros there. */
    public static boolean contains(String opName) {
        return NAMES.contains(opName);
    }
}
