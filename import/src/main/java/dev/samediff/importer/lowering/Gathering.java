package dev.samediff.importer.lowering;

import dev.samediff.adapters.graph.FromEnd;
import dev.samediff.importer.naming.GraphNames;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Looking up elements by coordinates. GatherND becomes a lookup of rows of a matrix; GatherElements a product with one-hot
 * rows, or a lookup in the flattened tensor if nothing can be trained through it.
 */
final class Gathering {
    private Gathering() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("GatherND", Gathering::gatherNd);
        operators.put("GatherElements", Gathering::gatherElements);
    }

    /** The size as a known or symbolic number of rank 0. */
    static Value number(NodeCall call, Dim dim) {
        return call.builder().constant(Shapes.scalar(dim));
    }

    /** Indices below zero count from the end of an axis. */
    static Value positive(NodeCall call, Value indices, Dim size) {
        Value wide = call.emit("Cast", Map.of("to", 7), indices);
        Value zero = number(call, Dim.ZERO);
        return call.emit("Where", call.emit("Less", wide, zero), call.emit("Add", wide, number(call, size)), wide);
    }

    /**
     * Indices that read or write, counted from the front. Engines refuse those outside of the axis when the graph runs; known
     * ones are refused here.
     *
     * @param indices whole numbers of any shape
     * @param size how long the axis is
     */
    static Value inside(NodeCall call, Value indices, Dim size) {
        HostTensor known = indices.content();
        if (known != null && !known.isSymbolic() && (size.isKnown() || isAnywhereInside(known))) {
            requireInside(call, known, size);
            return positive(call, indices, size);
        }
        Value wide = call.emit("Cast", Map.of("to", 7), indices);
        SDVariable counted = FromEnd.add(
                call.graph(),
                GraphNames.sanitised(call.node().name()) + "/from_end",
                wide.variable(),
                number(call, size).variable());
        Value fromEnd = Value.computed(counted, DataType.LONG, indices.dims());
        return call.emit("Where", call.emit("Less", wide, number(call, Dim.ZERO)), fromEnd, wide);
    }

    /** Tells whether known indices are inside every axis: the first and the last element. */
    private static boolean isAnywhereInside(HostTensor indices) {
        return Arrays.stream(indices.asLongs()).allMatch(index -> index == 0 || index == -1);
    }

    /** Refuses known indices outside of an axis of known size. */
    static void requireInside(NodeCall call, HostTensor indices, Dim size) {
        for (long index : indices.asLongs()) {
            if (size.isKnown() && (index >= size.known() || index < -size.known())) {
                throw call.refused(
                        "has the index " + index + " for an axis with " + size + ", allowed is " + -size.known()
                                + " to " + (size.known() - 1),
                        "correct the number, or look it up in a longer axis");
            }
        }
    }

    /** One number of every row of indices: a slice that errors can tell from others. */
    static Value column(NodeCall call, Value indices, int number) {
        int last = indices.rank() - 1;
        if (indices.dim(last).is(1) || indices.content() != null) {
            return call.emit("Gather", Map.of("axis", -1), indices, number(call, Dim.of(number)));
        }
        long[] begin = new long[last + 1];
        long[] end = new long[last + 1];
        long[] steps = new long[last + 1];
        Arrays.fill(steps, 1);
        begin[last] = number;
        end[last] = number + 1L;
        int others = (1 << last) - 1;
        SDVariable column =
                call.graph().stridedSlice(indices.variable(), begin, end, steps, others, others, 0, 0, 1 << last);
        return Value.computed(column, indices.type(), indices.dims().subList(0, last));
    }

    static Dim product(List<Dim> dims) {
        return dims.stream().reduce(Dim.ONE, Dim::times);
    }

    /**
     * The place in the flattened leading axes that rows of coordinates name.
     *
     * @param indices [..., q]
     * @param sizes sizes of the q axes
     */
    static Value places(NodeCall call, Value indices, List<Dim> sizes) {
        Value place = null;
        for (int i = 0; i < sizes.size(); i++) {
            Value coordinate = inside(call, column(call, indices, i), sizes.get(i));
            Dim stride = product(sizes.subList(i + 1, sizes.size()));
            Value part = stride.is(1) ? coordinate : call.emit("Mul", coordinate, number(call, stride));
            place = place == null ? part : call.emit("Add", place, part);
        }
        if (place == null) {
            throw call.invalid("has coordinates of no numbers");
        }
        return place;
    }

    /** Number of coordinates in each row of indices. */
    static int coordinates(NodeCall call, Value indices, int most) {
        Dim count = indices.dim(indices.rank() - 1);
        if (!count.isKnown() || count.known() < 1 || count.known() > most) {
            throw call.refused(
                    "has rows of " + count + " coordinates for " + most + " axes; only a known number can be imported",
                    "export with that number fixed");
        }
        return (int) count.known();
    }

    private static List<Value> gatherNd(NodeCall call) {
        Value data = call.in(0);
        Value indices = call.in(1);
        int batch = Math.toIntExact(call.node().integer("batch_dims", 0));
        int count = coordinates(call, indices, data.rank() - batch);
        List<Dim> batchDims = data.dims().subList(0, batch);
        List<Dim> sizes = data.dims().subList(batch, batch + count);
        List<Dim> rest = data.dims().subList(batch + count, data.rank());
        Value place = places(call, indices, sizes);
        if (batch > 0) {
            place = inBatch(call, place, batchDims, product(sizes));
        }
        List<Dim> flat = new ArrayList<>(List.of(product(batchDims).times(product(sizes))));
        flat.addAll(rest);
        Value rows = call.emit("Gather", call.builder().reshape(data, flat), place);
        List<Dim> dims = new ArrayList<>(indices.dims().subList(0, indices.rank() - 1));
        dims.addAll(rest);
        return List.of(call.builder().reshape(rows, dims));
    }

    /** Places in the rows of all batches: {@code batch * size + place}. */
    private static Value inBatch(NodeCall call, Value place, List<Dim> batchDims, Dim size) {
        Dim batches = product(batchDims);
        List<Dim> inner = place.dims().subList(batchDims.size(), place.rank());
        Value matrix = call.builder().reshape(place, List.of(batches, product(inner)));
        Value numbers = Value.computed(Creation.numbers(call, batches), DataType.LONG, List.of(batches));
        Value first = call.emit("Mul", numbers, number(call, size));
        return call.emit("Add", matrix, call.builder().reshape(first, List.of(batches, Dim.ONE)));
    }

    /** Brings an axis to the end. */
    static Value axisLast(NodeCall call, Value x, int axis) {
        int[] order = IntStream.range(0, x.rank())
                .map(i -> i == x.rank() - 1 ? axis : i < axis ? i : i + 1)
                .toArray();
        return Shapes.permuted(call, x, order);
    }

    /** Brings the last axis to its place. */
    static Value axisBack(NodeCall call, Value x, int axis) {
        int[] order = IntStream.range(0, x.rank())
                .map(i -> i == axis ? x.rank() - 1 : i < axis ? i : i - 1)
                .toArray();
        return Shapes.permuted(call, x, order);
    }

    private static List<Value> gatherElements(NodeCall call) {
        Value data = call.in(0);
        Value indices = call.in(1);
        int axis = call.axis("axis", 0, data.rank());
        Value aligned = aligned(call, data, indices.dims(), axis);
        Dim size = data.dim(axis);
        Value rows = axisLast(call, aligned, axis);
        Value wanted = axisLast(call, inside(call, indices, size), axis);
        List<Dim> others = wanted.dims().subList(0, wanted.rank() - 1);
        Dim count = wanted.dim(wanted.rank() - 1);
        Dim lines = product(others);
        Value matrix = call.builder().reshape(rows, List.of(lines, size));
        Value places = call.builder().reshape(wanted, List.of(lines, count));
        Value picked = data.type().isFPType() && call.builder().origins().isTrained(data)
                ? bySum(call, matrix, places, size)
                : byLookup(call, matrix, places, size);
        Value shaped = call.builder().reshape(picked, wanted.dims());
        return List.of(axisBack(call, shaped, axis));
    }

    /** The part of the data that indices of other sizes can reach. */
    static Value aligned(NodeCall call, Value data, List<Dim> indices, int axis) {
        List<Slicing.Cut> cuts = new ArrayList<>();
        for (int i = 0; i < data.rank(); i++) {
            if (i != axis && !indices.get(i).equals(data.dim(i))) {
                cuts.add(new Slicing.Cut(i, Dim.ZERO, indices.get(i), 1));
            }
        }
        return cuts.isEmpty() ? data : Slicing.slice(call, data, cuts);
    }

    /** One-hot rows [lines, places, size] of places [lines, places]. */
    static Value oneHot(NodeCall call, Value places, Dim size, DataType type) {
        return call.emit("Cast", Map.of("to", OnnxTypes.number(type)), isThere(call, places, size));
    }

    /** Whether an element is the one a place names, [lines, places, size] of places [lines, places]. */
    private static Value isThere(NodeCall call, Value places, Dim size) {
        Value numbers = Value.computed(Creation.numbers(call, size), DataType.LONG, List.of(size));
        return call.emit("Equal", call.emit("Unsqueeze", places, call.vector(places.rank())), numbers);
    }

    /** The sum of what is chosen of a line: a product with one-hot rows would make NaN of an infinity beside it. */
    private static Value bySum(NodeCall call, Value matrix, Value places, Dim size) {
        Value hot = isThere(call, places, size);
        Value line = call.emit("Unsqueeze", matrix, call.vector(1));
        Value chosen = call.emit("Where", hot, line, call.real(matrix.type(), 0));
        return call.emit("ReduceSum", Map.of("keepdims", 0), chosen, call.vector(2));
    }

    private static Value byLookup(NodeCall call, Value matrix, Value places, Dim size) {
        Dim lines = matrix.dim(0);
        Value numbers = Value.computed(Creation.numbers(call, lines), DataType.LONG, List.of(lines));
        Value first = call.builder().reshape(call.emit("Mul", numbers, number(call, size)), List.of(lines, Dim.ONE));
        Value flat = call.builder().reshape(matrix, Collections.singletonList(lines.times(size)));
        return call.emit("Gather", flat, call.emit("Add", places, first));
    }
}
