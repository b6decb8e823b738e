package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ops.CustomOp;

/** Ops that move nothing, or only move. */
final class ViewLowering {
    private ViewLowering() {}

    static void register(Map<String, OpLowering> table) {
        table.put("identity", call -> List.of(call.input(0)));
        table.put("stop_gradient", ViewLowering::detach);
        table.put("reshape", ViewLowering::reshape);
        table.put("expand_dims", ViewLowering::reshape);
        table.put("squeeze", ViewLowering::reshape);
        table.put("flatten_2d", ViewLowering::reshape);
        table.put("permute", ViewLowering::permute);
        table.put("transpose", ViewLowering::permute);
        table.put("split", ViewLowering::split);
        table.put("concat", ViewLowering::concat);
        table.put("stack", ViewLowering::stack);
        table.put("unstack", ViewLowering::unstack);
        table.put("strided_slice", ViewLowering::stridedSlice);
        table.put("tile", ViewLowering::tile);
        table.put("broadcast_to", ViewLowering::broadcast);
    }

    private static @Nullable List<Tensor> reshape(Call call) {
        boolean columnMajor = Arrays.stream(call.integers()).anyMatch(argument -> argument == -'f');
        return columnMajor ? null : List.of(call.builder().reshape(call.input(0), call.outputShape()));
    }

    private static List<Tensor> detach(Call call) {
        Tensor x = call.input(0);
        return List.of(call.builder().add(new Op.Detach(), List.of(x), x.type(), x.shape()));
    }

    private static List<Tensor> permute(Call call) {
        Tensor x = call.input(0);
        int[] axes = Arrays.stream(call.inputCount() > 1 ? call.numbers(1) : call.integers())
                .mapToInt(axis -> (int) (axis < 0 ? axis + x.rank() : axis))
                .toArray();
        if (axes.length != x.rank()) {
            axes = IntStream.range(0, x.rank()).map(i -> x.rank() - 1 - i).toArray();
        }
        return List.of(call.builder().permute(x, axes));
    }

    private static @Nullable List<Tensor> split(Call call) {
        if (call.inputCount() != 1) {
            return null;
        }
        Tensor x = call.input(0);
        int count = (int) call.integer(0, 1);
        int axis = axis(call.integer(1, 0), x.rank());
        long size = x.size(axis) / count;
        List<Tensor> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            parts.add(call.builder().slice(x, axis, i * size, size));
        }
        return parts;
    }

    private static @Nullable List<Tensor> concat(Call call) {
        boolean axisIsInput = call.node().function() instanceof CustomOp op && op.bArgs().length > 0 && op.bArgs()[0];
        if (!call.isFloat() || axisIsInput) {
            return null;
        }
        List<Tensor> parts = call.tensors();
        return List.of(
                call.builder().concat(axis(call.integer(0, 0), parts.get(0).rank()), parts));
    }

    private static @Nullable List<Tensor> stack(Call call) {
        if (!call.isFloat()) {
            return null;
        }
        int axis = axis(call.integer(0, 0), call.outputShape().length);
        List<Tensor> parts = call.tensors().stream()
                .map(part -> call.builder().reshape(part, Shapes.with(call.outputShape(), axis, 1)))
                .toList();
        return List.of(call.builder().concat(axis, parts));
    }

    private static List<Tensor> unstack(Call call) {
        Tensor x = call.input(0);
        int axis = axis(call.integer(0, 0), x.rank());
        List<Tensor> parts = new ArrayList<>();
        for (long i = 0; i < x.size(axis); i++) {
            parts.add(call.builder().reshape(call.builder().slice(x, axis, i, 1), call.outputShape()));
        }
        return parts;
    }

    /** Masks, then begins, ends and steps; no ellipsis, no new axes, steps of one. */
    private static @Nullable List<Tensor> stridedSlice(Call call) {
        long[] arguments = call.integers();
        int count = (arguments.length - 5) / 3;
        if (call.inputCount() != 1 || arguments.length < 8 || arguments[1] != 0 || arguments[3] != 0) {
            return null;
        }
        Tensor x = call.input(0);
        ProgramBuilder builder = call.builder();
        for (int axis = 0; axis < count; axis++) {
            if (arguments[5 + 2 * count + axis] != 1) {
                return null;
            }
            long size = x.size(axis);
            boolean single = (arguments[4] >> axis & 1) != 0;
            long begin = (arguments[0] >> axis & 1) != 0 && !single ? 0 : wrap(arguments[5 + axis], size);
            long end = single
                    ? begin + 1
                    : (arguments[2] >> axis & 1) != 0 ? size : wrap(arguments[5 + count + axis], size);
            if (end <= begin) {
                return null;
            }
            x = builder.slice(x, axis, begin, end - begin);
        }
        return x.length() == Shapes.length(call.outputShape()) ? List.of(builder.reshape(x, call.outputShape())) : null;
    }

    private static long wrap(long index, long size) {
        return Math.max(0, Math.min(size, index < 0 ? index + size : index));
    }

    private static @Nullable List<Tensor> tile(Call call) {
        long[] repeats = call.inputCount() > 1 ? call.numbers(1) : call.integers();
        Tensor x = call.input(0);
        if (repeats.length != x.rank() || (call.inputCount() > 1 && !call.isKnown(1))) {
            return null;
        }
        long[] apart = new long[2 * x.rank()];
        long[] repeated = new long[2 * x.rank()];
        for (int i = 0; i < x.rank(); i++) {
            apart[2 * i] = 1;
            repeated[2 * i] = repeats[i];
            apart[2 * i + 1] = x.size(i);
            repeated[2 * i + 1] = x.size(i);
        }
        if (apart.length > 6) {
            return tileOnes(call, x, repeats);
        }
        ProgramBuilder builder = call.builder();
        return List.of(builder.reshape(builder.expand(builder.reshape(x, apart), repeated), call.outputShape()));
    }

    private static @Nullable List<Tensor> tileOnes(Call call, Tensor x, long[] repeats) {
        for (int i = 0; i < x.rank(); i++) {
            if (repeats[i] != 1 && x.size(i) != 1) {
                return null;
            }
        }
        return List.of(call.builder().expand(x, call.outputShape()));
    }

    private static List<Tensor> broadcast(Call call) {
        Tensor x = call.input(0);
        long[] shape = call.outputShape();
        return List.of(call.builder()
                .expand(call.builder().reshape(x, Shapes.withRank(shape.length, x.shape())), shape));
    }

    private static int axis(long axis, int rank) {
        return (int) (axis < 0 ? axis + rank : axis);
    }
}
