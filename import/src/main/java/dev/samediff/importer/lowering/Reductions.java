package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Reductions. Axes are always counted from the front: with keepDims, a negative axis gives wrong numbers in M2.1. */
final class Reductions {
    /** Bits of the lower half of a LONG. */
    private static final int HALF = 32;

    private Reductions() {}

    /** Emits a reduction of a variable. */
    interface Reduction {
        SDVariable apply(SameDiff graph, SDVariable x, boolean keep, int[] axes);
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put("ReduceMean", Reductions::mean);
        reduction(operators, "ReduceSum", (graph, x, keep, axes) -> graph.sum(x, keep, axes));
        operators.put("ReduceMax", call -> extreme(call, (graph, x, keep, axes) -> graph.max(x, keep, axes)));
        operators.put("ReduceMin", call -> extreme(call, (graph, x, keep, axes) -> graph.min(x, keep, axes)));
        reduction(operators, "ReduceProd", (graph, x, keep, axes) -> graph.prod(x, keep, axes));
        reduction(
                operators,
                "ReduceSumSquare",
                (graph, x, keep, axes) -> graph.sum(graph.math().square(x), keep, axes));
        operators.put("ArgMax", call -> argMax(call, true));
        operators.put("ArgMin", call -> argMax(call, false));
        operators.put("CumSum", Reductions::cumulativeSum);
    }

    private static void reduction(Map<String, OpLowering> operators, String name, Reduction form) {
        operators.put(name, call -> List.of(reduction(call, call.in(0), form)));
    }

    /** M2.1 leaves out what is no number; ONNX Runtime gives none then. So where there may be such, they are counted. */
    private static List<Value> extreme(NodeCall call, Reduction form) {
        Value x = call.in(0);
        Value result = reduction(call, x, form);
        if (result == x || !call.builder().origins().mayBeInfinite(x)) {
            return List.of(result);
        }
        Value none = call.emit("Cast", Map.of("to", OnnxTypes.number(x.type())), call.emit("IsNaN", x));
        Value any = call.emit(
                "Cast",
                Map.of("to", OnnxTypes.number(DataType.BOOL)),
                reduction(call, none, (graph, v, keep, axes) -> graph.max(v, keep, axes)));
        return List.of(call.emit("Where", any, call.real(x.type(), Double.NaN), result));
    }

    private static Value reduction(NodeCall call, Value x, Reduction form) {
        int[] axes = axes(call, x);
        if (axes.length == 0) {
            return x;
        }
        boolean keep = call.node().integer("keepdims", 1) == 1;
        DataType type = x.type() == DataType.BOOL ? DataType.INT : x.type();
        Value numbers = Value.computed(call.builder().cast(x.variable(), x.type(), type), type, x.dims());
        SDVariable result = call.builder().cast(emit(call, numbers, keep, axes, form), type, x.type());
        return Value.computed(result, x.type(), reduced(x, axes, keep));
    }

    /** The axes that a node reduces; none if it hands its input on. */
    private static int[] axes(NodeCall call, Value x) {
        int[] given = call.axes(1, x.rank());
        if (given != null && given.length > 0) {
            return given;
        }
        return call.node().integer("noop_with_empty_axes", 0) == 1
                ? new int[0]
                : IntStream.range(0, x.rank()).toArray();
    }

    /** Of whole numbers the sum divided by their number, rounded towards zero: M2.1's mean of them is a FLOAT. */
    private static List<Value> mean(NodeCall call) {
        Value x = call.in(0);
        if (x.type().isFPType()) {
            return List.of(reduction(call, x, (graph, v, keep, axes) -> graph.mean(v, keep, axes)));
        }
        Value sum = reduction(call, x, (graph, v, keep, axes) -> graph.sum(v, keep, axes));
        Dim count = Arrays.stream(axes(call, x)).mapToObj(x::dim).reduce(Dim.ONE, Dim::times);
        DataType held = OnnxTypes.held(x.type());
        Value divisor = call.emit("Cast", Map.of("to", OnnxTypes.number(held)), Gathering.number(call, count));
        Value quotient = call.emit("Div", Value.computed(sum.variable(), held, sum.dims()), divisor);
        return call.result(quotient.variable(), x.type(), sum.dims());
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

    /** Whole numbers by the first that equals the largest: M2.1's argmax takes real numbers, which do not hold all of them. */
    private static List<Value> argMax(NodeCall call, boolean most) {
        Value x = call.in(0);
        int axis = call.axis("axis", 0, x.rank());
        if (call.node().integer("select_last_index", 0) == 1) {
            return last(call, x, axis, most);
        }
        boolean keep = call.node().integer("keepdims", 1) == 1;
        if (!x.type().isFPType()) {
            Value best = call.emit(most ? "ReduceMax" : "ReduceMin", x, call.vector(axis));
            return List.of(Ranking.first(call, call.emit("Equal", x, best), axis, keep));
        }
        SDVariable ordered = most ? x.variable() : x.variable().neg();
        return call.result(call.graph().argmax(ordered, keep, axis), DataType.LONG, reduced(x, new int[] {axis}, keep));
    }

    /** The first maximum of the reversed tensor, counted from the end. */
    private static List<Value> last(NodeCall call, Value x, int axis, boolean most) {
        Value reversed = Slicing.reversed(call, x, axis);
        long keep = call.node().integer("keepdims", 1);
        Value first = call.emit(most ? "ArgMax" : "ArgMin", Map.of("axis", axis, "keepdims", keep), reversed);
        Value end = Gathering.number(call, x.dim(axis).minus(Dim.ONE));
        return List.of(call.emit("Sub", end, first));
    }

    /**
     * As a product with a triangular matrix for floating point, because SameDiff's cumsum has a wrong gradient; whole
     * numbers run through DOUBLE, because it refuses them, those of 64 bits in two halves.
     */
    private static List<Value> cumulativeSum(NodeCall call) {
        Value x = call.in(0);
        int axis = Axes.normalise(call.node(), call.known(1, "axis").asLong(0), x.rank());
        boolean exclusive = call.node().integer("exclusive", 0) == 1;
        boolean reverse = call.node().integer("reverse", 0) == 1;
        if (x.type().isFPType()) {
            return List.of(byTriangle(call, x, axis, exclusive, reverse));
        }
        GraphBuilder builder = call.builder();
        UnaryOperator<SDVariable> sums = numbers -> call.graph()
                .cumsum(numbers.castTo(DataType.DOUBLE), exclusive, reverse, axis)
                .castTo(DataType.LONG);
        SDVariable exact = OnnxTypes.held(x.type()) == DataType.LONG
                ? inHalves(call, x.variable(), sums)
                : sums.apply(x.variable());
        return call.result(builder.cast(exact, DataType.LONG, x.type()), x);
    }

    /** Numbers of 64 bits as their upper and their lower half, whose sums a DOUBLE holds. */
    private static SDVariable inHalves(NodeCall call, SDVariable x, UnaryOperator<SDVariable> sums) {
        SDVariable width = call.builder().whole(HALF);
        SDVariable low = call.graph().bitwise().and(x, call.builder().whole((1L << HALF) - 1));
        SDVariable high = call.graph().bitwise().rightShift(x, width);
        return call.graph().bitwise().leftShift(sums.apply(high), width).add(sums.apply(low));
    }

    /** {@code x T}, where entry (i, j) of T is one if element i is part of sum j. */
    private static Value byTriangle(NodeCall call, Value x, int axis, boolean exclusive, boolean reverse) {
        Value last = Gathering.axisLast(call, x, axis);
        Dim size = x.dim(axis);
        Value numbers = Value.computed(Creation.numbers(call, size), DataType.LONG, List.of(size));
        Value rows = call.emit("Unsqueeze", numbers, call.vector(1));
        String comparison = reverse ? (exclusive ? "Greater" : "GreaterOrEqual") : (exclusive ? "Less" : "LessOrEqual");
        Value triangle = call.emit("CastLike", call.emit(comparison, rows, numbers), x);
        UnaryOperator<Value> sums = part -> call.builder()
                .reshape(
                        call.emit(
                                "MatMul",
                                part.rank() == 1 ? call.emit("Unsqueeze", part, call.vector(0)) : part,
                                triangle),
                        part.dims());
        boolean infinite = call.builder().origins().mayBeInfinite(last);
        return Gathering.axisBack(call, infinite ? ofInfinite(call, sums, last) : sums.apply(last), axis);
    }

    /**
     * Sums of what may be infinite or no number, which a product would bring into all sums: those it is a part of are what it
     * makes of them, the others are as without it.
     *
     * @param sums sums of finite numbers
     */
    private static Value ofInfinite(NodeCall call, UnaryOperator<Value> sums, Value x) {
        Value zero = call.real(x.type(), 0);
        Value above = call.emit("IsInf", Map.of("detect_negative", 0), x);
        Value below = call.emit("IsInf", Map.of("detect_positive", 0), x);
        Value none = call.emit("IsNaN", x);
        Value special = call.emit("Or", call.emit("Or", above, below), none);
        Value result = sums.apply(call.emit("Where", special, zero, x));
        Map<Value, Double> kinds = new LinkedHashMap<>();
        kinds.put(above, Double.POSITIVE_INFINITY);
        kinds.put(below, Double.NEGATIVE_INFINITY);
        kinds.put(none, Double.NaN);
        for (Map.Entry<Value, Double> kind : kinds.entrySet()) {
            Value there = call.emit("Greater", sums.apply(call.emit("CastLike", kind.getKey(), x)), zero);
            result = call.emit("Add", result, call.emit("Where", there, call.real(x.type(), kind.getValue()), zero));
        }
        return result;
    }
}
