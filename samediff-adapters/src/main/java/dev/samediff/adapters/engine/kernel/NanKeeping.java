package dev.samediff.adapters.engine.kernel;

import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;

/**
 * Functions made of bounds, in which NaN stays NaN as in PyTorch. oneDNN's largest and smallest of two numbers are its second
 * one where either is NaN, as the processor's instructions and its reference code have it. So NaN of the second one stays, that
 * of the first one does not, and its functions of one number, in which the bound is the second one, lose NaN.
 */
final class NanKeeping {
    private NanKeeping() {}

    /**
     * Adds y = f(x) for a function with f(x) >= x everywhere, which is max(f(x), x) and so keeps NaN of x.
     *
     * @param f a function without parameters
     * @param x dense
     * @param y dense; may be x, in place
     */
    static void above(Assembly assembly, algorithm f, TensorView x, TensorView y) {
        post_ops ops = new post_ops();
        ops.append_eltwise(f, 0, 0);
        joined(assembly, algorithm.binary_mul, 1, ops, 1, algorithm.binary_max, x, y);
    }

    /** Adds y = max(bound, x), with x and y as in {@link #above}. */
    static void atLeast(Assembly assembly, float bound, TensorView x, TensorView y) {
        joined(assembly, algorithm.binary_max, bound, new post_ops(), 0, algorithm.binary_max, x, y);
    }

    /** Adds y = min(bound, x), with x and y as in {@link #above}. */
    static void atMost(Assembly assembly, float bound, TensorView x, TensorView y) {
        joined(assembly, algorithm.binary_min, bound, new post_ops(), 0, algorithm.binary_min, x, y);
    }

    /**
     * Adds y = the larger or smaller one of f(x (op) number) and x, in one pass: oneDNN has compiled code for functions of two
     * tensors with something after them, but only its reference code for functions of one.
     *
     * @param ops f, which gets the last step
     * @param steps how many there are
     */
    private static void joined(
            Assembly assembly,
            algorithm op,
            float number,
            post_ops ops,
            int steps,
            algorithm join,
            TensorView x,
            TensorView y) {
        memory.desc desc = Dnnl.desc(x);
        ops.append_binary(join, desc);
        TensorView constant = assembly.constant(x.type(), number, 1);
        var description = new binary.primitive_desc(
                Dnnl.ENGINE, op, desc, Dnnl.desc(constant), desc, Dnnl.attributes(ops), false);
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_SRC_0, x)
                .with(dnnl.DNNL_ARG_SRC_1, constant)
                .with(dnnl.DNNL_ARG_DST, y)
                .with(Matmuls.postOp(steps), x)
                .add();
    }

    /** Returns a tensor in working memory that is 0, and NaN where x is: the root of (x = x) - 1. */
    static TensorView marks(Assembly assembly, TensorView x) {
        TensorView marks = assembly.temporary(x.type(), x.shape());
        post_ops ops = new post_ops();
        ops.append_eltwise(algorithm.eltwise_linear, 1, -1);
        ops.append_eltwise(algorithm.eltwise_sqrt, 0, 0);
        memory.desc desc = Dnnl.desc(x);
        var description = new binary.primitive_desc(
                Dnnl.ENGINE, algorithm.binary_eq, desc, desc, Dnnl.desc(marks), Dnnl.attributes(ops), false);
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_SRC_0, x)
                .with(dnnl.DNNL_ARG_SRC_1, x)
                .with(dnnl.DNNL_ARG_DST, marks)
                .add();
        return marks;
    }
}
