package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Matrix products, softmax and lookups. */
final class ProductLowering {
    private ProductLowering() {}

    static void register(Map<String, OpLowering> table) {
        table.put("matmul", ProductLowering::matmul);
        table.put("softmax", ProductLowering::softmax);
        table.put("gather", ProductLowering::gather);
        table.put("cast", ProductLowering::cast);
    }

    private static @Nullable List<Tensor> matmul(Call call) {
        double[] factors = call.numbers();
        double alpha = factors.length > 0 ? factors[0] : 1;
        Tensor a = call.input(0);
        Tensor b = call.input(1);
        if (!call.isFloat() || a.rank() == 0 || b.rank() == 0 || call.inputCount() != 2) {
            return null;
        }
        ProgramBuilder builder = call.builder();
        if (a.rank() == 1 || b.rank() == 1) {
            return vector(call, a, b, alpha);
        }
        Tensor left = call.integer(0, 0) == 0 ? a : builder.transpose(a);
        Tensor right = call.integer(1, 0) == 0 ? b : builder.transpose(b);
        requireProduct(call, left, right);
        Tensor product = builder.matmul(left, right, alpha);
        return List.of(call.integer(2, 0) == 0 ? product : builder.transpose(product));
    }

    /** A vector on the left is a row, one on the right a column; flags are about the other operand. */
    private static List<Tensor> vector(Call call, Tensor a, Tensor b, double alpha) {
        ProgramBuilder builder = call.builder();
        Tensor left =
                a.rank() == 1 ? builder.reshape(a, 1, a.length()) : call.integer(0, 0) == 0 ? a : builder.transpose(a);
        Tensor right =
                b.rank() == 1 ? builder.reshape(b, b.length(), 1) : call.integer(1, 0) == 0 ? b : builder.transpose(b);
        requireProduct(call, left, right);
        return List.of(builder.reshape(builder.matmul(left, right, alpha), call.outputShape()));
    }

    private static void requireProduct(Call call, Tensor left, Tensor right) {
        if (left.size(-1) != right.size(-2)) {
            throw new UncompilableException(
                    Lowering.describe(call.node()) + " multiplies " + left + " by " + right + ", which do not fit");
        }
        call.requireBroadcast(
                Arrays.copyOf(left.shape(), left.rank() - 2), Arrays.copyOf(right.shape(), right.rank() - 2));
    }

    private static @Nullable List<Tensor> softmax(Call call) {
        if (!call.isFloat()) {
            return null;
        }
        int last = call.input(0).rank() - 1;
        int axis = (int) call.integer(0, last);
        axis = axis < 0 ? axis + last + 1 : axis;
        Tensor x = unshifted(call.builder(), call.input(0), axis);
        if (axis == last) {
            return List.of(call.builder().softmax(x));
        }
        int[] swap = IntStream.range(0, x.rank()).toArray();
        swap[axis] = last;
        swap[last] = axis;
        return List.of(call.builder()
                .permute(call.builder().softmax(call.builder().permute(x, swap)), swap));
    }

    /** {@code softmax(x - max x)} is {@code softmax x} for kernels that subtract the largest number themselves. */
    private static Tensor unshifted(ProgramBuilder builder, Tensor x, int axis) {
        Node difference = builder.producer(x);
        if (difference == null || !(difference.op() instanceof Op.Binary op) || op.kind() != BinaryKind.SUBTRACT) {
            return x;
        }
        Tensor whole = difference.input(0);
        Node largest = builder.producer(difference.input(1));
        boolean shifts = largest != null
                && largest.op() instanceof Op.Reduce reduce
                && reduce.kind() == ReduceKind.MAX
                && largest.input(0) == whole
                && largest.output().hasShape(Shapes.with(whole.shape(), axis, 1));
        return shifts ? whole : x;
    }

    private static @Nullable List<Tensor> gather(Call call) {
        Tensor table = call.input(0);
        DataType ids = call.value(1).type();
        boolean rows = table.isFloat() && table.rank() == 2 && call.integer(0, 0) == 0 && call.inputCount() == 2;
        return rows && (ids == DataType.INT || ids == DataType.LONG)
                ? List.of(call.builder().gather(table, call.input(1)))
                : null;
    }

    private static @Nullable List<Tensor> cast(Call call) {
        return call.isFloat() ? List.of(call.input(0)) : null;
    }
}
