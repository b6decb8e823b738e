package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Reductions. Axes are always counted from the front: with keepDims, a negative axis gives wrong numbers in M2.1. */
final class Reductions {
    private Reductions() {}

    /** Emits a reduction of a variable. */
    interface Reduction {
        SDVariable apply(SameDiff graph, SDVariable x, boolean keep, int[] axes);
    }

    static void register(Map<String, OpLowering> operators) {
        reduction(operators, "ReduceMean", (graph, x, keep, axes) -> graph.mean(x, keep, axes));
        reduction(operators, "ReduceSum", (graph, x, keep, axes) -> graph.sum(x, keep, axes));
        reduction(operators, "ReduceMax", (graph, x, keep, axes) -> graph.max(x, keep, axes));
        reduction(operators, "ReduceMin", (graph, x, keep, axes) -> graph.min(x, keep, axes));
        reduction(operators, "ReduceProd", (graph, x, keep, axes) -> graph.prod(x, keep, axes));
        reduction(
                operators,
                "ReduceSumSquare",
                (graph, x, keep, axes) -> graph.sum(graph.math().square(x), keep, axes));
        reduction(
                operators,
                "ReduceL2",
                (graph, x, keep, axes) ->
                        graph.math().sqrt(graph.sum(graph.math().square(x), keep, axes)));
        operators.put("ArgMax", Reductions::argMax);
        operators.put("CumSum", Reductions::cumulativeSum);
    }

    private static void reduction(Map<String, OpLowering> operators, String name, Reduction form) {
        operators.put(name, call -> {
            Value x = call.in(0);
            int[] given = call.axes(1, x.rank());
            if ((given == null || given.length == 0) && call.node().integer("noop_with_empty_axes", 0) == 1) {
                return List.of(x);
            }
            int[] axes = given == null || given.length == 0
                    ? IntStream.range(0, x.rank()).toArray()
                    : given;
            boolean keep = call.node().integer("keepdims", 1) == 1;
            return call.result(emit(call, x, keep, axes, form), x.type(), reduced(x, axes, keep));
        });
    }

    /**
     * Emits a reduction. M2.1 throws a NullPointerException when it reduces an axis of size 1 of a matrix that is a row
     * or a column; where that may happen, the matrix is given a third axis.
     */
    static SDVariable emit(NodeCall call, Value x, boolean keep, int[] axes, Reduction form) {
        boolean safe = x.rank() != 2
                || Arrays.stream(axes)
                        .anyMatch(axis -> x.dim(axis).isKnown() && !x.dim(axis).is(1));
        if (safe) {
            return form.apply(call.graph(), x.variable(), keep, axes);
        }
        Value raised = call.builder().reshape(x, List.of(Dim.ONE, x.dim(0), x.dim(1)));
        int[] moved = Arrays.stream(axes).map(axis -> axis + 1).toArray();
        SDVariable result = form.apply(call.graph(), raised.variable(), keep, moved);
        Value lowered = Value.computed(result, x.type(), reduced(raised, moved, keep));
        return call.builder().reshape(lowered, reduced(x, axes, keep)).variable();
    }

    private static List<Dim> reduced(Value x, int[] axes, boolean keep) {
        List<Dim> dims = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            boolean gone = Arrays.binarySearch(axes, axis) >= 0;
            if (!gone || keep) {
                dims.add(gone ? Dim.ONE : x.dim(axis));
            }
        }
        return dims;
    }

    private static List<Value> argMax(NodeCall call) {
        Value x = call.in(0);
        int axis = call.axis("axis", 0, x.rank());
        if (call.node().integer("select_last_index", 0) == 1) {
            return lastMax(call, x, axis);
        }
        boolean keep = call.node().integer("keepdims", 1) == 1;
        SDVariable comparable =
                call.builder().cast(x.variable(), x.type(), x.type().isFPType() ? x.type() : DataType.DOUBLE);
        return call.result(
                call.graph().argmax(comparable, keep, axis), DataType.LONG, reduced(x, new int[] {axis}, keep));
    }

    /** The first maximum of the reversed tensor, counted from the end. */
    private static List<Value> lastMax(NodeCall call, Value x, int axis) {
        Value reversed = Slicing.reversed(call, x, axis);
        long keep = call.node().integer("keepdims", 1);
        Value first = call.emit("ArgMax", Map.of("axis", axis, "keepdims", keep), reversed);
        Value end = Gathering.number(call, x.dim(axis).minus(Dim.ONE));
        return List.of(call.emit("Sub", end, first));
    }

    /**
     * As a product with a triangular matrix for floating point, because SameDiff's cumsum has a wrong gradient; whole
     * numbers run through DOUBLE, because it refuses them.
     */
    private static List<Value> cumulativeSum(NodeCall call) {
        Value x = call.in(0);
        int axis = Axes.normalise(call.node(), call.known(1, "axis").asLong(0), x.rank());
        boolean exclusive = call.node().integer("exclusive", 0) == 1;
        boolean reverse = call.node().integer("reverse", 0) == 1;
        if (x.type().isFPType()) {
            return List.of(byTriangle(call, x, axis, exclusive, reverse));
        }
        SDVariable numbers = call.builder().cast(x.variable(), x.type(), DataType.DOUBLE);
        SDVariable sums = call.graph().cumsum(numbers, exclusive, reverse, axis);
        return call.result(call.builder().cast(sums, DataType.DOUBLE, x.type()), x);
    }

    /** {@code x T}, where entry (i, j) of T is one if element i is part of sum j. */
    private static Value byTriangle(NodeCall call, Value x, int axis, boolean exclusive, boolean reverse) {
        Value last = Gathering.axisLast(call, x, axis);
        Dim size = x.dim(axis);
        Value numbers = Value.computed(Creation.numbers(call, size), DataType.LONG, List.of(size));
        Value rows = call.emit("Unsqueeze", numbers, call.vector(1));
        String comparison = reverse ? (exclusive ? "Greater" : "GreaterOrEqual") : (exclusive ? "Less" : "LessOrEqual");
        Value triangle = call.emit("CastLike", call.emit(comparison, rows, numbers), x);
        Value wide = last.rank() == 1 ? call.emit("Unsqueeze", last, call.vector(0)) : last;
        Value sums = call.builder().reshape(call.emit("MatMul", wide, triangle), last.dims());
        return Gathering.axisBack(call, sums, axis);
    }
}
