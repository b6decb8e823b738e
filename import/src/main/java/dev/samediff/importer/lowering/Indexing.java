package dev.samediff.importer.lowering;

import dev.samediff.adapters.graph.IndexSlice;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Looking up elements by index. SameDiff's gather has a wrong gradient, so it serves frozen tables and whole numbers
 * only; computed tensors are sliced, or multiplied by one-hot rows.
 */
final class Indexing {
    private Indexing() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Gather", Truths.asNumbers(Indexing::gather));
    }

    private static List<Value> gather(NodeCall call) {
        Value data = call.in(0);
        Value indices = call.in(1);
        int axis = call.axis("axis", 0, data.rank());
        HostTensor known = indices.content();
        if (known != null && known.isSingle() && !data.isConstant()) {
            Gathering.requireInside(call, known, data.dim(axis));
            return one(call, data, axis, known.asLong(0), indices.rank());
        }
        List<Dim> dims = new ArrayList<>(data.dims().subList(0, axis));
        dims.addAll(indices.dims());
        dims.addAll(data.dims().subList(axis + 1, data.rank()));
        boolean fixed = known != null && !known.isSymbolic();
        if (known != null && fixed) {
            Gathering.requireInside(call, known, data.dim(axis));
        }
        boolean gatherIsRight = data.isConstant() || !data.type().isFPType();
        if (!gatherIsRight && known != null && fixed && known.rank() == 1) {
            return several(call, data, axis, known, dims);
        }
        // engines count the indices of tables from the end themselves
        boolean counted = fixed || !data.type().isFPType();
        SDVariable where = (counted ? Gathering.inside(call, indices, data.dim(axis)) : indices).variable();
        if (gatherIsRight && data.rank() == 1 && indices.rank() > 1) {
            return ofVector(call, data, where, dims);
        }
        if (gatherIsRight) {
            return call.result(call.graph().gather(data.variable(), where, axis), data.type(), dims);
        }
        return byOneHot(call, data, indices, axis);
    }

    /** As rows of one element: M2.1's gather of a vector by a matrix of indices reads wrong places or ends the process. */
    private static List<Value> ofVector(NodeCall call, Value data, SDVariable where, List<Dim> dims) {
        Value column = call.builder().reshape(data, List.of(data.dim(0), Dim.ONE));
        List<Dim> rows = new ArrayList<>(dims);
        rows.add(Dim.ONE);
        SDVariable picked = call.graph().gather(column.variable(), where, 0);
        return List.of(call.builder().reshape(Value.computed(picked, data.type(), rows), dims));
    }

    /** A single element of an axis: a slice without the axis. */
    private static List<Value> one(NodeCall call, Value data, int axis, long index, int indexRank) {
        List<Dim> shaped = new ArrayList<>(data.dims());
        shaped.remove(axis);
        for (int i = 0; i < indexRank; i++) {
            shaped.add(axis, Dim.ONE);
        }
        return List.of(call.builder().reshape(run(call, data, axis, index, index), shaped));
    }

    /** Known indices of a computed tensor: one slice if they are a run, else slices side by side. */
    private static List<Value> several(NodeCall call, Value data, int axis, HostTensor indices, List<Dim> dims) {
        List<SDVariable> parts = new ArrayList<>();
        int start = 0;
        for (int i = 1; i <= indices.length(); i++) {
            long last = indices.asLong(i - 1);
            if (i == indices.length() || indices.asLong(i) != last + 1 || last == -1) {
                parts.add(run(call, data, axis, indices.asLong(start), last).variable());
                start = i;
            }
        }
        SDVariable result =
                parts.size() == 1 ? parts.get(0) : call.graph().concat(axis, parts.toArray(new SDVariable[0]));
        return call.result(result, data.type(), dims);
    }

    /** Neighbouring elements; where the size of the axis is not known, engines refuse those outside when the graph runs. */
    private static Value run(NodeCall call, Value data, int axis, long first, long last) {
        Dim size = data.dim(axis);
        if (size.isKnown()) {
            Dim from = Dim.of(first < 0 ? first + size.known() : first);
            Dim to = Dim.of((last < 0 ? last + size.known() : last) + 1);
            return Slicing.slice(call, data, List.of(new Slicing.Cut(axis, from, to, 1)));
        }
        List<Dim> dims = new ArrayList<>(data.dims());
        dims.set(axis, Dim.of(last - first + 1));
        SDVariable slice = IndexSlice.of(call.graph(), data.variable(), data.rank(), axis, first, last);
        return Value.computed(slice, data.type(), dims);
    }

    /** {@code onehot(indices) x data}, whose gradient is right; indices are as in {@link Gathering#inside}. */
    private static List<Value> byOneHot(NodeCall call, Value data, Value indices, int axis) {
        GraphBuilder builder = call.builder();
        int[] order = IntStream.range(0, data.rank())
                .map(i -> i == 0 ? axis : i <= axis ? i - 1 : i)
                .toArray();
        Value front = Shapes.permuted(call, data, order);
        Dim count = indices.dims().stream().reduce(Dim.ONE, Dim::times);
        List<Dim> others = front.dims().subList(1, front.rank());
        Dim width = others.stream().reduce(Dim.ONE, Dim::times);
        Value matrix = builder.reshape(front, List.of(data.dim(axis), width));
        Value inside = Gathering.inside(call, indices, data.dim(axis));
        SDVariable rows = oneHot(call, builder.reshape(inside, List.of(count, Dim.ONE)), data.dim(axis), data.type());
        Value picked = Value.computed(call.graph().mmul(rows, matrix.variable()), data.type(), List.of(count, width));
        List<Dim> dims = new ArrayList<>(indices.dims());
        dims.addAll(others);
        return List.of(Shapes.permuted(call, builder.reshape(picked, dims), back(dims.size(), indices.rank(), axis)));
    }

    /** From [indices, axes before, axes after] to [axes before, indices, axes after]. */
    private static int[] back(int rank, int indices, int axis) {
        return IntStream.range(0, rank)
                .map(i -> i < axis ? indices + i : i < axis + indices ? i - axis : i)
                .toArray();
    }

    /** Rows with a one where the column is the index. */
    private static SDVariable oneHot(NodeCall call, Value indices, Dim depth, DataType type) {
        SDVariable columns = Creation.numbers(call, depth);
        return indices.variable().eq(call.graph().expandDims(columns, 0)).castTo(type);
    }
}
