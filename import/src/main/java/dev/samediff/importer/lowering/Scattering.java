package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterNdUpdate;

/**
 * Writing at computed places: {@code data (1 - hit) + onehot' updates}, whose gradient is right in data and updates. A
 * scatter over more places than that is good for, and one of single elements of unknown number, goes through SameDiff's own operator, which is not differentiated.
 */
final class Scattering {
    /** Most entries of one-hot rows. */
    private static final long MOST_ENTRIES = 1 << 22;

    /** Beyond every number of a model, and still finite in both precisions. */
    private static final double FAR = 3e38;

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
                    "scatters with reduction " + reduction + "; none, add, mul, max and min can be imported");
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
        Value hot = Gathering.oneHot(call, place, places, data.type());
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
        Value written = call.emit("MatMul", call.emit("Transpose", hot), news);
        Value result = reduction.equals("add")
                ? call.emit("Add", matrix, written)
                : call.emit("Add", kept(call, matrix, hit(call, hot, 0, List.of(places, Dim.ONE))), written);
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
        double neutral = reduction.equals("mul") ? 1 : reduction.equals("max") ? -FAR : FAR;
        Value missed = call.emit("Sub", call.real(hot.type(), 1), hot);
        Value all =
                call.emit("Add", call.emit("Mul", hot, news), call.emit("Mul", missed, call.real(hot.type(), neutral)));
        String operator = switch (reduction) {
            case "mul" -> "ReduceProd";
            case "max" -> "ReduceMax";
            default -> "ReduceMin";
        };
        return call.emit(operator, Map.of("keepdims", 0), all, call.vector(axis));
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

    private static Value kept(NodeCall call, Value data, Value hit) {
        return call.emit("Mul", data, call.emit("Sub", call.real(data.type(), 1), hit));
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
        SDVariable result = new ScatterNdUpdate(call.graph(), data.variable(), indices.variable(), updates.variable())
                .outputVariable();
        call.notes().accept(call.node() + " is not differentiated: nothing can be trained through it");
        return call.result(result, data.type(), data.dims());
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
            boolean smaller = i != axis
                    && data.dim(i).isKnown()
                    && indices.dim(i).isKnown()
                    && !data.dim(i).equals(indices.dim(i));
            if (smaller) {
                throw call.refused("writes to a part of axis " + i + " (" + indices.dim(i) + " of " + data.dim(i)
                        + "); only indices as large as the data on the other axes can be imported");
            }
        }
        Dim size = data.dim(axis);
        Value rows = Gathering.axisLast(call, data, axis);
        Value places = Gathering.axisLast(call, Gathering.inside(call, indices, size), axis);
        Value news = Gathering.axisLast(call, updates, axis);
        Dim lines = Gathering.product(rows.dims().subList(0, rows.rank() - 1));
        Dim count = places.dim(places.rank() - 1);
        Value hot = Gathering.oneHot(call, call.builder().reshape(places, List.of(lines, count)), size, data.type());
        Value matrix = call.builder().reshape(rows, List.of(lines, size));
        if (isChoosing(reduction)) {
            Value column = call.builder().reshape(news, List.of(lines, count, Dim.ONE));
            Value chosen = joined(call, reduction, matrix, reduced(call, reduction, hot, column, 1));
            return List.of(
                    Gathering.axisBack(call, call.builder().reshape(chosen, new ArrayList<>(rows.dims())), axis));
        }
        Value row = call.builder().reshape(news, List.of(lines, Dim.ONE, count));
        Value written = call.builder().reshape(call.emit("MatMul", row, hot), List.of(lines, size));
        Value result = reduction.equals("add")
                ? call.emit("Add", matrix, written)
                : call.emit("Add", kept(call, matrix, hit(call, hot, 1, List.of(lines, size))), written);
        List<Dim> dims = new ArrayList<>(rows.dims());
        return List.of(Gathering.axisBack(call, call.builder().reshape(result, dims), axis));
    }
}
