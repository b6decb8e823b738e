package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
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
        operators.put("Gather", Indexing::gather);
    }

    private static List<Value> gather(NodeCall call) {
        Value data = call.in(0);
        Value indices = call.in(1);
        int axis = call.axis("axis", 0, data.rank());
        HostTensor known = indices.content();
        if (known != null && known.isSingle() && !data.isConstant()) {
            return one(call, data, axis, known, indices.rank());
        }
        List<Dim> dims = new ArrayList<>(data.dims().subList(0, axis));
        dims.addAll(indices.dims());
        dims.addAll(data.dims().subList(axis + 1, data.rank()));
        SDVariable where = known != null && !known.isSymbolic()
                ? call.builder().constant(positive(call, known, data.dim(axis))).variable()
                : indices.variable();
        boolean gatherIsRight = data.isConstant() || !data.type().isFPType();
        if (!gatherIsRight && known != null && !known.isSymbolic() && known.rank() == 1) {
            return several(call, data, axis, positive(call, known, data.dim(axis)), dims);
        }
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

    /** A single element of an axis: a slice that drops the axis. */
    private static List<Value> one(NodeCall call, Value data, int axis, HostTensor index, int indexRank) {
        long at = index.asLong(0);
        Dim size = data.dim(axis);
        if (size.isKnown() && (at >= size.known() || at < -size.known())) {
            throw call.refused("reads element " + at + " of an axis with " + size + "; the graph is not valid ONNX");
        }
        List<Dim> shaped = new ArrayList<>(data.dims());
        shaped.remove(axis);
        for (int i = 0; i < indexRank; i++) {
            shaped.add(axis, Dim.ONE);
        }
        if (size.is(1)) {
            // a slice of all of a row [1,n] throws in M2.1 when it is differentiated
            return List.of(call.builder().reshape(data, shaped));
        }
        int rank = data.rank();
        long[] begin = new long[rank];
        long[] end = new long[rank];
        long[] steps = new long[rank];
        Arrays.fill(steps, 1);
        begin[axis] = at;
        end[axis] = at + 1;
        int others = ((1 << rank) - 1) & ~(1 << axis);
        int endMask = at == -1 ? others | (1 << axis) : others;
        SDVariable result =
                call.graph().stridedSlice(data.variable(), begin, end, steps, others, endMask, 0, 0, 1 << axis);
        List<Dim> dims = new ArrayList<>(data.dims());
        dims.remove(axis);
        Value element = Value.computed(result, data.type(), dims);
        return List.of(call.builder().reshape(element, shaped));
    }

    /** Known indices of a computed tensor: one slice if they are a run, else slices side by side. */
    private static List<Value> several(NodeCall call, Value data, int axis, HostTensor indices, List<Dim> dims) {
        List<SDVariable> parts = new ArrayList<>();
        int start = 0;
        for (int i = 1; i <= indices.length(); i++) {
            if (i == indices.length() || indices.asLong(i) != indices.asLong(i - 1) + 1) {
                Dim from = Dim.of(indices.asLong(start));
                Dim to = Dim.of(indices.asLong(i - 1) + 1);
                parts.add(Slicing.slice(call, data, List.of(new Slicing.Cut(axis, from, to, 1)))
                        .variable());
                start = i;
            }
        }
        SDVariable result =
                parts.size() == 1 ? parts.get(0) : call.graph().concat(axis, parts.toArray(new SDVariable[0]));
        return call.result(result, data.type(), dims);
    }

    private static HostTensor positive(NodeCall call, HostTensor indices, Dim size) {
        long[] values = indices.asLongs();
        for (int i = 0; i < values.length; i++) {
            boolean outside = size.isKnown() && (values[i] >= size.known() || values[i] < -size.known());
            if (outside || (values[i] < 0 && !size.isKnown())) {
                throw call.refused(
                        "reads element " + values[i] + " of an axis with " + size + "; give indices inside it");
            }
            values[i] = values[i] < 0 ? values[i] + size.known() : values[i];
        }
        return HostTensor.of(indices.type(), indices.shape(), values);
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
