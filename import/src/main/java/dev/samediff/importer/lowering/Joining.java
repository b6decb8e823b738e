package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/** Joining tensors along an axis, and cutting them apart. */
final class Joining {
    private Joining() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Concat", Joining::concat);
        operators.put("Split", Truths.asNumbers(Joining::split));
    }

    private static List<Value> concat(NodeCall call) {
        Value first = call.in(0);
        int axis = call.axis("axis", 0, first.rank());
        Dim size = Dim.ZERO;
        List<SDVariable> parts = new ArrayList<>();
        DataType joined = first.type() == DataType.BOOL ? DataType.INT : first.type();
        List<Dim> dims = new ArrayList<>(first.dims());
        for (int i = 0; i < call.inputs().size(); i++) {
            Value part = call.in(i);
            size = size.plus(part.dim(axis));
            if (!part.dim(axis).is(0)) {
                parts.add(call.builder().cast(part.variable(), part.type(), joined));
            }
            preferKnown(dims, part.dims());
        }
        dims.set(axis, size);
        SDVariable result =
                parts.size() == 1 ? parts.get(0) : call.graph().concat(axis, parts.toArray(new SDVariable[0]));
        return call.result(call.builder().cast(result, joined, first.type()), first.type(), dims);
    }

    private static void preferKnown(List<Dim> dims, List<Dim> others) {
        for (int axis = 0; axis < dims.size(); axis++) {
            if (others.get(axis).isKnown()) {
                dims.set(axis, others.get(axis));
            }
        }
    }

    private static List<Value> split(NodeCall call) {
        Value x = call.in(0);
        int axis = call.axis("axis", 0, x.rank());
        int count = call.node().outputs().size();
        List<Dim> sizes = sizes(call, x.dim(axis), count);
        boolean equal = sizes.stream().distinct().count() == 1;
        if (!equal) {
            return slices(call, x, axis, sizes);
        }
        SDVariable[] parts = call.graph().split(x.variable(), count, axis);
        List<Value> results = new ArrayList<>();
        for (SDVariable part : parts) {
            List<Dim> dims = new ArrayList<>(x.dims());
            dims.set(axis, sizes.get(0));
            results.add(Value.computed(part, x.type(), dims));
        }
        return results;
    }

    private static List<Dim> sizes(NodeCall call, Dim whole, int count) {
        long[] given = call.node().integers("split");
        if (given != null) {
            return HostTensor.vector(given).asDims();
        }
        if (call.optional(1).isPresent()) {
            return call.known(1, "sizes").asDims();
        }
        if (whole.isKnown() && whole.known() % count != 0) {
            long most = (whole.known() + count - 1) / count;
            List<Dim> sizes = new ArrayList<>(Collections.nCopies(count - 1, Dim.of(most)));
            sizes.add(Dim.of(whole.known() - most * (count - 1)));
            return sizes;
        }
        Dim each = whole.dividedBy(Dim.of(count)).orElseGet(call.builder()::unknown);
        return Collections.nCopies(count, each);
    }

    private static List<Value> slices(NodeCall call, Value x, int axis, List<Dim> sizes) {
        List<Value> results = new ArrayList<>();
        Dim start = Dim.ZERO;
        for (Dim size : sizes) {
            Dim end = start.plus(size);
            results.add(Slicing.slice(call, x, List.of(new Slicing.Cut(axis, start, end, 1))));
            start = end;
        }
        return results;
    }
}
