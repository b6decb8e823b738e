package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.math3.special.Erf;

/** Functions that oneDNN does not have, as loops in Java over dense tensors. */
final class ScalarKernels {
    private static final double TWO_BY_ROOT_PI = 2 / Math.sqrt(Math.PI);

    private ScalarKernels() {}

    static boolean has(UnaryKind kind) {
        return kind == UnaryKind.ERF || kind == UnaryKind.SIN || kind == UnaryKind.COS;
    }

    static Kernel forward(UnaryKind kind, TensorView x, TensorView y) {
        DoubleUnaryOperator f = switch (kind) {
            case ERF -> Erf::erf;
            case SIN -> Math::sin;
            case COS -> Math::cos;
            default -> throw new IllegalArgumentException("oneDNN has " + kind);
        };
        return new JavaKernel("java", x.place(), y.place()) {
            @Override
            void compute() {
                long from = x.place().address();
                long to = y.place().address();
                for (long i = 0; i < x.layout().length(); i++) {
                    Memory.putFloat(to + 4 * i, (float) f.applyAsDouble(Memory.getFloat(from + 4 * i)));
                }
            }
        };
    }

    static Kernel backward(UnaryKind kind, TensorView dy, TensorView x, TensorView dx) {
        DoubleUnaryOperator derivative = switch (kind) {
            case ERF -> v -> TWO_BY_ROOT_PI * Math.exp(-v * v);
            case SIN -> Math::cos;
            case COS -> v -> -Math.sin(v);
            default -> throw new IllegalArgumentException("oneDNN has " + kind);
        };
        return new JavaKernel("java", dy.place(), x.place(), dx.place()) {
            @Override
            void compute() {
                long upstream = dy.place().address();
                long from = x.place().address();
                long to = dx.place().address();
                for (long i = 0; i < x.layout().length(); i++) {
                    double slope = derivative.applyAsDouble(Memory.getFloat(from + 4 * i));
                    Memory.putFloat(to + 4 * i, (float) (slope * Memory.getFloat(upstream + 4 * i)));
                }
            }
        };
    }
}
