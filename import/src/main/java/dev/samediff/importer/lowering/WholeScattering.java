package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterNdUpdate;

/**
 * Writing whole numbers and truth values at computed places: into the flattened tensor, which also serves indices that are fewer
 * than the elements of other axes. Nothing is lost to real numbers, and there is no gradient to be right.
 */
final class WholeScattering {
    /** Most pairs of an update and a place that are compared. */
    private static final long MOST_PAIRS = 1 << 22;

    private WholeScattering() {}

    /** ScatterND: rows of coordinates name slices of the leading axes. */
    static List<Value> slices(NodeCall call, String reduction) {
        Value data = call.in(0);
        Value indices = call.in(1);
        int count = Gathering.coordinates(call, indices, data.rank());
        Dim places = Gathering.product(data.dims().subList(0, count));
        Dim width = Gathering.product(data.dims().subList(count, data.rank()));
        Dim rows = Gathering.product(indices.dims().subList(0, indices.rank() - 1));
        Value place = Gathering.places(call, indices, data.dims().subList(0, count));
        return List.of(write(call, data, place, new Sizes(places, rows, width), reduction));
    }

    /** ScatterElements: an index names the element of an axis, its own place the others. */
    static List<Value> elements(NodeCall call, String reduction) {
        Value data = call.in(0);
        Value indices = call.in(1);
        int axis = call.axis("axis", 0, data.rank());
        Value place = null;
        for (int i = 0; i < data.rank(); i++) {
            Value coordinate =
                    i == axis ? Gathering.inside(call, indices, data.dim(axis)) : along(call, indices.dims(), i);
            Dim stride = Gathering.product(data.dims().subList(i + 1, data.rank()));
            Value part = stride.is(1) ? coordinate : call.emit("Mul", coordinate, Gathering.number(call, stride));
            place = place == null ? part : call.emit("Add", place, part);
        }
        Sizes sizes = new Sizes(Gathering.product(data.dims()), Gathering.product(indices.dims()), Dim.ONE);
        return List.of(write(call, data, Objects.requireNonNull(place), sizes, reduction));
    }

    /** The numbers 0, 1, 2, ... along one axis, of size one along the others. */
    private static Value along(NodeCall call, List<Dim> dims, int axis) {
        List<Dim> shape = new ArrayList<>(Collections.nCopies(dims.size(), Dim.ONE));
        shape.set(axis, dims.get(axis));
        Value numbers = Value.computed(Creation.numbers(call, dims.get(axis)), DataType.LONG, List.of(dims.get(axis)));
        return call.builder().reshape(numbers, shape);
    }

    /**
     * The sizes of a write.
     *
     * @param places how many places there are
     * @param rows how many of them are written
     * @param width how many elements a place has
     */
    private record Sizes(Dim places, Dim rows, Dim width) {}

    private static Value write(NodeCall call, Value data, Value place, Sizes sizes, String reduction) {
        GraphBuilder builder = call.builder();
        DataType type = data.type() == DataType.BOOL ? DataType.INT : data.type();
        Map<String, Integer> number = Map.of("to", OnnxTypes.number(type));
        Value matrix = builder.reshape(call.emit("Cast", number, data), List.of(sizes.places(), sizes.width()));
        Value news = builder.reshape(call.emit("Cast", number, call.in(2)), List.of(sizes.rows(), sizes.width()));
        Value written = reduction.equals("none")
                ? replaced(call, matrix, builder.reshape(place, List.of(sizes.rows(), Dim.ONE)), news)
                : reduced(call, matrix, builder.reshape(place, List.of(sizes.rows())), news, reduction);
        return call.emit("Cast", Map.of("to", OnnxTypes.number(data.type())), builder.reshape(written, data.dims()));
    }

    private static Value replaced(NodeCall call, Value matrix, Value rows, Value news) {
        SDVariable result =
                new ScatterNdUpdate(call.graph(), matrix.variable(), rows.variable(), news.variable()).outputVariable();
        return Value.computed(result, matrix.type(), matrix.dims());
    }

    /** Every place with all updates that hit it, by comparing all places with all updates. */
    private static Value reduced(NodeCall call, Value matrix, Value place, Value news, String reduction) {
        Dim pairs = Gathering.product(List.of(place.dim(0), matrix.dim(0), matrix.dim(1)));
        if (pairs.isKnown() && pairs.known() > MOST_PAIRS) {
            throw call.refused(
                    "compares " + place.dim(0) + " updates with " + matrix.dim(0) + " places of " + matrix.dim(1)
                            + " whole numbers; up to " + MOST_PAIRS + " pairs can be imported",
                    "scatter fewer at a time");
        }
        Value numbers = Value.computed(Creation.numbers(call, matrix.dim(0)), DataType.LONG, List.of(matrix.dim(0)));
        Value hit = call.emit("Equal", call.emit("Unsqueeze", place, call.vector(1)), numbers);
        Value all = call.emit(
                "Where",
                call.emit("Unsqueeze", hit, call.vector(2)),
                call.emit("Unsqueeze", news, call.vector(1)),
                neutral(call, matrix.type(), reduction));
        return switch (reduction) {
            case "add" -> call.emit("Add", matrix, along(call, "ReduceSum", all));
            case "mul" -> call.emit("Mul", matrix, along(call, "ReduceProd", all));
            case "max" -> call.emit("Max", matrix, along(call, "ReduceMax", all));
            default -> call.emit("Min", matrix, along(call, "ReduceMin", all));
        };
    }

    private static Value along(NodeCall call, String operator, Value all) {
        return call.emit(operator, Map.of("keepdims", 0), all, call.vector(0));
    }

    private static Value neutral(NodeCall call, DataType type, String reduction) {
        long number = switch (reduction) {
            case "add" -> 0;
            case "mul" -> 1;
            case "max" -> OnnxTypes.end(type, false);
            default -> OnnxTypes.end(type, true);
        };
        return call.builder().constant(HostTensor.of(type, new long[0], new long[] {number}));
    }
}
