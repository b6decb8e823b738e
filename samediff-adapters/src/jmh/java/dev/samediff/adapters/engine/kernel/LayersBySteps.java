package dev.samediff.adapters.engine.kernel;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.function.Function;
import org.nd4j.linalg.api.buffer.DataType;

/** The rotary embedding and the gated unit of Llama as plans compute them: kernel by kernel, on whole tensors. */
final class LayersBySteps {
    private LayersBySteps() {}

    /** x cos + (-second half, first half) sin, with x [b,h,t,d]. */
    static Kernel rotary(long[] s, Function<long[], Operand> floats) {
        Operand x = floats.apply(s);
        Operand turned = floats.apply(s);
        Operand product = floats.apply(s);
        Operand negative = floats.apply(halved(s));
        return KernelSequence.of(
                new Kernels().unary(UnaryKind.LINEAR, -1, 0, half(x, 1), negative),
                new Kernels().copy(negative, half(turned, 0)),
                new Kernels().copy(half(x, 0), half(turned, 1)),
                new Kernels().binary(BinaryKind.MULTIPLY, turned, table(s, floats), turned),
                new Kernels().binary(BinaryKind.MULTIPLY, x, table(s, floats), product),
                new Kernels().binary(BinaryKind.ADD, product, turned, product));
    }

    static Kernel rotaryGrad(long[] s, Function<long[], Operand> floats) {
        Operand dy = floats.apply(s);
        Operand product = floats.apply(s);
        Operand turned = floats.apply(s);
        Operand dx = floats.apply(s);
        Operand negative = floats.apply(halved(s));
        return KernelSequence.of(
                new Kernels().binary(BinaryKind.MULTIPLY, dy, table(s, floats), product),
                new Kernels().unary(UnaryKind.LINEAR, -1, 0, half(product, 0), negative),
                new Kernels().copy(half(product, 1), half(turned, 0)),
                new Kernels().copy(negative, half(turned, 1)),
                new Kernels().binary(BinaryKind.MULTIPLY, dy, table(s, floats), dx),
                new Kernels().binary(BinaryKind.ADD, dx, turned, dx));
    }

    /** swish(gate) up; swish(gate) is kept. */
    static Kernel swiglu(long[] s, Function<long[], Operand> floats) {
        Operand swish = floats.apply(s);
        return KernelSequence.of(
                new Kernels().unary(UnaryKind.SWISH, 1, 0, floats.apply(s), swish),
                new Kernels().binary(BinaryKind.MULTIPLY, swish, floats.apply(s), floats.apply(s)));
    }

    static Kernel swigluGrad(long[] s, Function<long[], Operand> floats) {
        Operand dy = floats.apply(s);
        Operand dGate = floats.apply(s);
        return KernelSequence.of(
                new Kernels().binary(BinaryKind.MULTIPLY, dy, floats.apply(s), dGate),
                new Kernels().binary(BinaryKind.MULTIPLY, dy, floats.apply(s), floats.apply(s)),
                new Kernels().unaryGrad(UnaryKind.SWISH, 1, 0, dGate, floats.apply(s), dGate));
    }

    /** Cosines or sines of every position, [1,1,t,d]. */
    private static Operand table(long[] s, Function<long[], Operand> floats) {
        return floats.apply(new long[] {1, 1, s[2], s[3]});
    }

    private static long[] halved(long[] s) {
        return new long[] {s[0], s[1], s[2], s[3] / 2};
    }

    private static Operand half(Operand x, int which) {
        long[] shape = halved(x.shape());
        Operand half = new Operand(DataType.FLOAT, shape, x.strides());
        half.place(x.address() + 4 * which * shape[3]);
        return half;
    }
}
