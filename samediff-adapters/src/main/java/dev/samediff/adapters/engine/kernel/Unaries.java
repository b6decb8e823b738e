package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;

/**
 * Functions of one number, and their derivatives. NaN stays NaN, as in PyTorch; the derivatives of functions with corners do there
 * what PyTorch's do: that of a clip is 0, that of ReLU is 1.
 */
final class Unaries {
    private Unaries() {}

    /** oneDNN's name of a function and its parameters. */
    private record Eltwise(algorithm name, float alpha, float beta) {
        static Eltwise of(UnaryKind kind, double alpha, double beta) {
            algorithm name = switch (kind) {
                case LINEAR -> algorithm.eltwise_linear;
                case TANH -> algorithm.eltwise_tanh;
                case EXP -> algorithm.eltwise_exp;
                case LOG -> algorithm.eltwise_log;
                case SQRT -> algorithm.eltwise_sqrt;
                case SQUARE -> algorithm.eltwise_square;
                case ABS -> algorithm.eltwise_abs;
                case RELU -> algorithm.eltwise_relu;
                case ELU -> algorithm.eltwise_elu;
                case SIGMOID -> algorithm.eltwise_logistic;
                case SWISH -> algorithm.eltwise_swish;
                case GELU_TANH -> algorithm.eltwise_gelu_tanh;
                case GELU_ERF -> algorithm.eltwise_gelu_erf;
                case SOFTPLUS -> algorithm.eltwise_soft_relu;
                case MISH -> algorithm.eltwise_mish;
                case HARD_SWISH -> algorithm.eltwise_hardswish;
                case HARD_SIGMOID -> algorithm.eltwise_hardsigmoid;
                case CLIP -> algorithm.eltwise_clip;
                case POW, RSQRT, RECIPROCAL -> algorithm.eltwise_pow;
                case ERF, SIN, COS -> throw new IllegalArgumentException(kind + " is not a function of oneDNN");
            };
            return switch (kind) {
                case RSQRT -> new Eltwise(name, 1, -0.5f);
                case RECIPROCAL -> new Eltwise(name, 1, -1);
                default -> new Eltwise(name, (float) alpha, (float) beta);
            };
        }

        eltwise_forward.primitive_desc forward(memory.desc desc) {
            return new eltwise_forward.primitive_desc(
                    Dnnl.ENGINE, prop_kind.forward_training, name, desc, desc, alpha, beta, Dnnl.attributes(), false);
        }

        eltwise_backward.primitive_desc backward(memory.desc desc) {
            return new eltwise_backward.primitive_desc(
                    Dnnl.ENGINE, name, desc, desc, desc, alpha, beta, forward(desc), Dnnl.attributes(), false);
        }
    }

    /** Adds dst = f(x). */
    static void forward(Assembly assembly, UnaryKind kind, double alpha, double beta, TensorView x, TensorView dst) {
        Tensors.floats("unary " + kind, x, dst);
        Tensors.shape("unary " + kind, "x", x, dst.shape());
        Tensors.written("unary " + kind, "dst", dst);
        List<Layout> layouts = Layout.ordered(List.of(dst.layout(), x.layout()));
        TensorView to = dst.with(layouts.get(0));
        TensorView from = x.with(layouts.get(1));
        TensorView work = to.isDense() ? to : assembly.temporary(to.type(), to.shape());
        if (!from.isDense()) {
            Copies.add(assembly, from, work);
            from = work;
        }
        dense(assembly, kind, alpha, beta, flat(from), flat(work));
        if (work != to) {
            Copies.add(assembly, work, to);
        }
    }

    private static void dense(
            Assembly assembly, UnaryKind kind, double alpha, double beta, TensorView x, TensorView y) {
        if (ScalarKernels.has(kind)) {
            assembly.add(ScalarKernels.forward(kind, x, y));
            return;
        }
        Eltwise f = Eltwise.of(kind, alpha, beta);
        if (kind == UnaryKind.EXP) {
            NanKeeping.above(assembly, f.name, x, y);
        } else if (kind == UnaryKind.RELU && alpha == 0) {
            NanKeeping.atLeast(assembly, 0, x, y);
        } else if (kind == UnaryKind.CLIP) {
            NanKeeping.atLeast(assembly, f.alpha, x, y);
            NanKeeping.atMost(assembly, f.beta, y, y);
        } else if (kind == UnaryKind.HARD_SIGMOID) {
            plain(assembly, new Eltwise(algorithm.eltwise_linear, f.alpha, f.beta), x, y);
            NanKeeping.atLeast(assembly, 0, y, y);
            NanKeeping.atMost(assembly, 1, y, y);
        } else {
            plain(assembly, f, x, y);
        }
    }

    private static void plain(Assembly assembly, Eltwise f, TensorView x, TensorView y) {
        Primitive.of(assembly, f.forward(Dnnl.desc(x)))
                .with(dnnl.DNNL_ARG_SRC, x)
                .with(dnnl.DNNL_ARG_DST, y)
                .add();
    }

    /** Adds dx = dy f'(x). */
    static void backward(
            Assembly assembly, UnaryKind kind, double alpha, double beta, TensorView dy, TensorView x, TensorView dx) {
        String title = "gradient of unary " + kind;
        Tensors.floats(title, dy, x, dx);
        Tensors.shape(title, "dy", dy, dx.shape());
        Tensors.shape(title, "x", x, dx.shape());
        Tensors.written(title, "dx", dx);
        List<Layout> layouts = Layout.ordered(List.of(dx.layout(), dy.layout(), x.layout()));
        TensorView to = dx.with(layouts.get(0));
        TensorView gradient = Copies.densified(assembly, dy.with(layouts.get(1)));
        TensorView input = Copies.densified(assembly, x.with(layouts.get(2)));
        TensorView work = to.isDense() ? to : assembly.temporary(to.type(), to.shape());
        if (ScalarKernels.has(kind)) {
            assembly.add(ScalarKernels.backward(kind, flat(gradient), flat(input), flat(work)));
        } else if (kind == UnaryKind.EXP) {
            TensorView power = assembly.temporary(input.type(), input.shape());
            NanKeeping.above(assembly, algorithm.eltwise_exp, flat(input), flat(power));
            Binaries.add(assembly, BinaryKind.MULTIPLY, flat(power), flat(gradient), flat(work));
        } else {
            Primitive.of(assembly, Eltwise.of(kind, alpha, beta).backward(Dnnl.desc(flat(input))))
                    .with(dnnl.DNNL_ARG_DIFF_DST, flat(gradient))
                    .with(dnnl.DNNL_ARG_SRC, flat(input))
                    .with(dnnl.DNNL_ARG_DIFF_SRC, flat(work))
                    .add();
        }
        if (work != to) {
            Copies.add(assembly, work, to);
        }
    }

    private static TensorView flat(TensorView dense) {
        return dense.with(Layout.dense(dense.layout().length()));
    }
}
