package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.BaseReduceOp;

/** Element-wise functions and reductions. */
final class ArithmeticLowering {
    private ArithmeticLowering() {}

    static void register(Map<String, OpLowering> table) {
        binary(table, "add", BinaryKind.ADD);
        binary(table, "subtract", BinaryKind.SUBTRACT);
        binary(table, "multiply", BinaryKind.MULTIPLY);
        binary(table, "divide", BinaryKind.DIVIDE);
        binary(table, "realdiv", BinaryKind.DIVIDE);
        binary(table, "maximum", BinaryKind.MAXIMUM);
        binary(table, "minimum", BinaryKind.MINIMUM);
        unary(table, "square", UnaryKind.SQUARE);
        unary(table, "sqrt", UnaryKind.SQRT);
        unary(table, "rsqrt", UnaryKind.RSQRT);
        unary(table, "reciprocal", UnaryKind.RECIPROCAL);
        unary(table, "exp", UnaryKind.EXP);
        unary(table, "log", UnaryKind.LOG);
        unary(table, "tanh", UnaryKind.TANH);
        unary(table, "sigmoid", UnaryKind.SIGMOID);
        unary(table, "erf", UnaryKind.ERF);
        unary(table, "abs", UnaryKind.ABS);
        unary(table, "sin", UnaryKind.SIN);
        unary(table, "cos", UnaryKind.COS);
        table.put("softplus", call -> one(call, UnaryKind.SOFTPLUS, 1, 0));
        table.put("pow", ArithmeticLowering::power);
        table.put("neg", call -> linear(call, -1, 0));
        table.put("add_scalar", call -> linear(call, 1, call.scalar()));
        table.put("sub_scalar", call -> linear(call, 1, -call.scalar()));
        table.put("mul_scalar", call -> linear(call, call.scalar(), 0));
        table.put("div_scalar", call -> linear(call, 1 / call.scalar(), 0));
        table.put("rsub_scalar", call -> linear(call, -1, call.scalar()));
        table.put("rdiv_scalar", ArithmeticLowering::dividedInto);
        table.put(
                "relu", call -> call.inputCount() == 1 && call.scalar() == 0 ? one(call, UnaryKind.RELU, 0, 0) : null);
        table.put("ClipByValue", ArithmeticLowering::clip);
        table.put("cube", call -> call.isFloat() ? List.of(cube(call, call.input(0))) : null);
        table.put("reduce_sum", call -> reduce(call, ReduceKind.SUM));
        table.put("reduce_mean", call -> reduce(call, ReduceKind.MEAN));
        table.put("reduce_max", call -> reduce(call, ReduceKind.MAX));
        table.put("reduce_min", call -> reduce(call, ReduceKind.MIN));
    }

    private static void binary(Map<String, OpLowering> table, String name, BinaryKind kind) {
        table.put(name, call -> {
            if (!call.isFloat() || call.inputCount() != 2) {
                return null;
            }
            call.requireBroadcast(call.value(0).shape(), call.value(1).shape());
            return List.of(call.builder().binary(kind, call.input(0), call.input(1)));
        });
    }

    private static void unary(Map<String, OpLowering> table, String name, UnaryKind kind) {
        table.put(name, call -> one(call, kind, 0, 0));
    }

    private static @Nullable List<Tensor> one(Call call, UnaryKind kind, double alpha, double beta) {
        return call.isFloat() ? List.of(call.builder().unary(kind, alpha, beta, call.input(0))) : null;
    }

    private static @Nullable List<Tensor> linear(Call call, double alpha, double beta) {
        return call.isFloat() && call.inputCount() == 1
                ? List.of(call.builder().linear(call.input(0), alpha, beta))
                : null;
    }

    private static @Nullable List<Tensor> dividedInto(Call call) {
        if (!call.isFloat() || call.inputCount() != 1) {
            return null;
        }
        Tensor inverse = call.builder().unary(UnaryKind.RECIPROCAL, 0, 0, call.input(0));
        return List.of(call.builder().linear(inverse, call.scalar(), 0));
    }

    private static @Nullable List<Tensor> clip(Call call) {
        double[] bounds = call.numbers();
        return bounds.length == 2 ? one(call, UnaryKind.CLIP, bounds[0], bounds[1]) : null;
    }

    /** The powers that have kernels right for every x. */
    private static @Nullable List<Tensor> power(Call call) {
        if (call.inputCount() != 1) {
            return null;
        }
        double exponent = call.scalar();
        if (exponent == 2) {
            return one(call, UnaryKind.SQUARE, 0, 0);
        }
        if (exponent == 0.5) {
            return one(call, UnaryKind.SQRT, 0, 0);
        }
        if (exponent == -0.5) {
            return one(call, UnaryKind.RSQRT, 0, 0);
        }
        return exponent == -1 ? one(call, UnaryKind.RECIPROCAL, 0, 0) : null;
    }

    private static Tensor cube(Call call, Tensor x) {
        Tensor square = call.builder().unary(UnaryKind.SQUARE, 0, 0, x);
        return call.builder().binary(BinaryKind.MULTIPLY, square, x);
    }

    private static @Nullable List<Tensor> reduce(Call call, ReduceKind kind) {
        if (call.value(0).type() != DataType.FLOAT || (call.inputCount() > 1 && !call.isKnown(1))) {
            return null;
        }
        Tensor x = call.input(0);
        int[] axes = call.dimensions();
        if (axes.length == 0 || (axes.length == 1 && axes[0] == Integer.MAX_VALUE)) {
            axes = IntStream.range(0, x.rank()).toArray();
        }
        int[] positive = IntStream.of(axes)
                .map(axis -> axis < 0 ? axis + x.rank() : axis)
                .toArray();
        boolean keep = ((BaseReduceOp) call.node().function()).isKeepDims();
        return List.of(call.builder().reduce(kind, x, positive, keep));
    }
}
