package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterNdUpdate;

/**
 * Writing at computed places: {@code onehot' updates} where something is hit, whose gradient is right in data and updates. A
 * scatter over more places than that is good for, and one of single elements of unknown number, goes through SameDiff's own operator, which is not differentiated.
 */
final class Scattering {
    /** Most entries of one-hot rows. */
    private static final long MOST_ENTRIES = 1 << 22;

    private Scattering() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("ScatterND", Scattering::scatterNd);
        operators.put("ScatterElements", Scattering::scatterElements);
        operators.put("Scatter", Scattering::scatterElements);
    }

    private static String reduction(NodeCall call) {
        String reduction = call.node().text("reduction", "none");
        if (!Set.of("none", "add", "mul", "max", "min").contains(reduction)) {
            throw call.refused(
                    "scatters with reduction " + reduction + "; none, add, mul, max and min can be imported",
                    "use one of these");
        }
        return reduction;
    }

    private static List<Value> scatterNd(NodeCall call) {
        String reduction = reduction(call);
        Value data = call.in(0);
        if (!data.type().isFPType()) {
            return WholeScattering.slices(call, reduction);
        }
        Value indices = call.in(1);
        Value updates = call.emit("CastLike", call.in(2), data);
        int count = Gathering.coordinates(call, indices, data.rank());
        List<Dim> sizes = data.dims().subList(0, count);
        Dim places = Gathering.product(sizes);
        Dim rows = Gathering.product(indices.dims().subList(0, indices.rank() - 1));
        boolean known = places.isKnown() && rows.isKnown();
        boolean small = known ? places.known() * rows.known() <= MOST_ENTRIES : count < data.rank();
        if (!small && reduction.equals("none")) {
            return byOwnOperator(call, data, positive(call, indices, sizes), updates);
        }
        Dim width = Gathering.product(data.dims().subList(count, data.rank()));
        Value place = call.builder().reshape(Gathering.places(call, indices, sizes), List.of(rows));
        Value every = Gathering.oneHot(call, place, places, data.type());
        Value hot = reduction.equals("none") ? Overwriting.last(call, every, rows, 0, -1) : every;
        Value matrix = call.builder().reshape(data, List.of(places, width));
        Value news = call.builder().reshape(updates, List.of(rows, width));
        if (isChoosing(reduction)) {
            Value reduced = reduced(
                    call,
                    reduction,
                    call.emit("Unsqueeze", hot, call.vector(2)),
                    call.emit("Unsqueeze", news, call.vector(1)),
                    0);
            return List.of(call.builder().reshape(joined(call, reduction, matrix, reduced), data.dims()));
        }
        Value turned = call.emit("Transpose", hot);
        Value written = placed(call, numbers -> call.emit("MatMul", turned, numbers), news);
        Value result = reduction.equals("add")
                ? call.emit("Add", matrix, written)
                : overwritten(call, matrix, hit(call, hot, 0, List.of(places, Dim.ONE)), written);
        return List.of(call.builder().reshape(result, data.dims()));
    }

    private static boolean isChoosing(String reduction) {
        return !reduction.equals("none") && !reduction.equals("add");
    }

    /**
     * What the updates of a place come to, neutral where there are none.
     *
     * @param hot one where an update hits a place
     * @param news the updates, of a size that goes with it
     * @param axis the axis of updates
     */
    private static Value reduced(NodeCall call, String reduction, Value hot, Value news, int axis) {
        Value all = call.emit("Where", isOne(call, hot), news, call.real(hot.type(), neutral(reduction)));
        String operator = switch (reduction) {
            case "mul" -> "ReduceProd";
            case "max" -> "ReduceMax";
            default -> "ReduceMin";
        };
        return call.emit(operator, Map.of("keepdims", 0), all, call.vector(axis));
    }

    private static double neutral(String reduction) {
        return switch (reduction) {
            case "mul" -> 1;
            case "max" -> Double.NEGATIVE_INFINITY;
            default -> Double.POSITIVE_INFINITY;
        };
    }

    private static Value joined(NodeCall call, String reduction, Value data, Value reduced) {
        String operator = switch (reduction) {
            case "mul" -> "Mul";
            case "max" -> "Max";
            default -> "Min";
        };
        return call.emit(operator, data, reduced);
    }

    /** One where something is written, as a tensor of the given shape. */
    private static Value hit(NodeCall call, Value hot, int axis, List<Dim> dims) {
        Value any = call.emit("ReduceMax", Map.of("keepdims", 0), hot, call.vector(axis));
        return call.builder().reshape(any, dims);
    }

    private static Value isOne(NodeCall call, Value hot) {
        return call.emit("Greater", hot, call.real(hot.type(), 0));
    }

    private static Value overwritten(NodeCall call, Value data, Value hit, Value written) {
        return call.emit("Where", isOne(call, hit), written, data);
    }

    /**
     * The product of numbers with one-hot rows, in which what is infinite or no number only is where it is put: a product would
     * make NaN of it everywhere else.
     */
    private static Value placed(NodeCall call, UnaryOperator<Value> product, Value news) {
        if (!call.builder().origins().mayBeInfinite(news)) {
            return product.apply(news);
        }
        DataType type = news.type();
        Value above = call.emit("IsInf", Map.of("detect_negative", 0), news);
        Value below = call.emit("IsInf", Map.of("detect_positive", 0), news);
        Value none = call.emit("IsNaN", news);
        Value special = call.emit("Or", call.emit("Or", above, below), none);
        Value result = product.apply(call.emit("Where", special, call.real(type, 0), news));
        Map<Value, Double> kinds = new LinkedHashMap<>();
        kinds.put(above, Double.POSITIVE_INFINITY);
        kinds.put(below, Double.NEGATIVE_INFINITY);
        kinds.put(none, Double.NaN);
        for (Map.Entry<Value, Double> kind : kinds.entrySet()) {
            Value there = product.apply(call.emit("CastLike", kind.getKey(), news));
            result = call.emit("Where", isOne(call, there), call.real(type, kind.getValue()), result);
        }
        return result;
    }

    /** Coordinates counted from the front: others are outside of memory to SameDiff. */
    private static Value positive(NodeCall call, Value indices, List<Dim> sizes) {
        List<Value> columns = new ArrayList<>();
        for (int i = 0; i < sizes.size(); i++) {
            Value column = Gathering.inside(call, Gathering.column(call, indices, i), sizes.get(i));
            columns.add(call.emit("Unsqueeze", column, call.vector(indices.rank() - 1)));
        }
        return columns.size() == 1
                ? columns.get(0)
                : call.emit("Concat", Map.of("axis", -1), columns.toArray(new @Nullable Value[0]));
    }

    private static List<Value> byOwnOperator(NodeCall call, Value data, Value indices, Value updates) {
        DataType type = data.type() == DataType.BOOL ? DataType.INT : data.type();
        SDVariable old = call.builder().cast(data.variable(), data.type(), type);
        SDVariable news = call.builder().cast(updates.variable(), data.type(), type);
        SDVariable result = new ScatterNdUpdate(call.graph(), old, indices.variable(), news).outputVariable();
        call.notes().accept(call.node() + " is not differentiated: nothing can be trained through it");
        return call.result(call.builder().cast(result, type, data.type()), data.type(), data.dims());
    }

    private static List<Value> scatterElements(NodeCall call) {
        String reduction = reduction(call);
        Value data = call.in(0);
        if (!data.type().isFPType()) {
            return WholeScattering.elements(call, reduction);
        }
        Value indices = call.in(1);
        Value updates = call.emit("CastLike", call.in(2), data);
        int axis = call.axis("axis", 0, data.rank());
        for (int i = 0; i < data.rank(); i++) {
            if (i != axis && Dim.ZERO.minus(data.dim(i).minus(indices.dim(i))).isAtLeast(1)) {
                throw call.invalid("writes " + indices.dim(i) + " places of axis " + i + ", which has " + data.dim(i));
            }
        }
        Dim size = data.dim(axis);
        Value rows = Gathering.axisLast(call, data, axis);
        Value places = Gathering.axisLast(call, Gathering.inside(call, indices, size), axis);
        Value news = Gathering.axisLast(call, updates, axis);
        Dim lines = Gathering.product(places.dims().subList(0, places.rank() - 1));
        Dim count = places.dim(places.rank() - 1);
        Value every = Gathering.oneHot(call, call.builder().reshape(places, List.of(lines, count)), size, data.type());
        Value hot = reduction.equals("none") ? Overwriting.last(call, every, count, 1, axis) : every;
        List<Dim> written = new ArrayList<>(places.dims());
        written.set(places.rank() - 1, size);
        Value result;
        if (isChoosing(reduction)) {
            Value column = call.builder().reshape(news, List.of(lines, count, Dim.ONE));
            Value reduced = call.builder().reshape(reduced(call, reduction, hot, column, 1), written);
            result = joined(call, reduction, rows, spread(call, reduced, rows, neutral(reduction)));
        } else {
            Value row = call.builder().reshape(news, List.of(lines, Dim.ONE, count));
            Value sums = placed(call, numbers -> call.emit("MatMul", numbers, hot), row);
            Value all = spread(call, call.builder().reshape(sums, written), rows, 0);
            result = reduction.equals("add")
                    ? call.emit("Add", rows, all)
                    : overwritten(call, rows, spread(call, hit(call, hot, 1, written), rows, 0), all);
        }
        return List.of(Gathering.axisBack(call, result, axis));
    }

    /** What is written to the first lines of the data, with something that changes nothing for the others. */
    private static Value spread(NodeCall call, Value written, Value data, double nothing) {
        List<Dim> pads = new ArrayList<>(Collections.nCopies(data.rank(), Dim.ZERO));
        for (int axis = 0; axis < data.rank(); axis++) {
            Dim missing = data.dim(axis).minus(written.dim(axis));
            pads.add(call.builder().sizes().larger(missing, Dim.ZERO));
        }
        Value padded = call.emit("Pad", written, call.vector(pads), call.real(data.type(), nothing));
        return call.builder().required(padded, data.dims());
    }
}
