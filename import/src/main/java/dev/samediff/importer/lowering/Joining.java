package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
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
            preferKnown(call, dims, part.dims(), axis);
        }
        dims.set(axis, size);
        SDVariable result =
                parts.size() == 1 ? parts.get(0) : call.graph().concat(axis, parts.toArray(new SDVariable[0]));
        return call.result(call.builder().cast(result, joined, first.type()), first.type(), dims);
    }

    private static void preferKnown(NodeCall call, List<Dim> dims, List<Dim> others, int joined) {
        for (int axis = 0; axis < dims.size(); axis++) {
            Dim other = others.get(axis);
            if (axis != joined && dims.get(axis).isKnown() && other.isKnown() && !other.equals(dims.get(axis))) {
                throw call.invalid("joins along axis " + joined + " tensors of which axis " + axis + " is "
                        + dims.get(axis) + " and " + other);
            }
            if (other.isKnown()) {
                dims.set(axis, other);
            }
        }
    }

    private static List<Value> split(NodeCall call) {
        Value x = call.in(0);
        int axis = call.axis("axis", 0, x.rank());
        List<Dim> given = given(call);
        if (given != null) {
            if (given.stream().anyMatch(part -> part.isKnown() && part.known() < 0)) {
                throw call.invalid("splits into parts of " + given + " elements");
            }
            Dim sum = given.stream().reduce(Dim.ZERO, Dim::plus);
            if (sum.isKnown() && x.dim(axis).isKnown() && !sum.equals(x.dim(axis))) {
                throw call.invalid("splits " + x.dim(axis) + " elements into parts of " + given + ", which are " + sum
                        + " together");
            }
            List<Dim> dims = new ArrayList<>(x.dims());
            dims.set(axis, sum);
            return slices(call, call.builder().required(x, dims), axis, given);
        }
        int count = call.node().outputs().size();
        return evenly(call, x, axis, count);
    }

    /** Parts of one size; since operator set 18 the last one may be smaller, but not empty. */
    private static List<Value> evenly(NodeCall call, Value x, int axis, int count) {
        Dim whole = x.dim(axis);
        Optional<Dim> each = whole.dividedBy(Dim.of(count));
        if (each.isPresent() || call.opset() < 18) {
            if (each.isEmpty() && whole.isKnown()) {
                throw call.invalid("splits " + whole + " elements into " + count + " equal parts");
            }
            return equal(call, x, axis, count, each.orElseGet(call.builder()::unknown));
        }
        RuntimeSizes sizes = call.builder().sizes();
        Dim most = sizes.parts(whole, count);
        Dim others = most.times(Dim.of(count - 1));
        Dim last = sizes.larger(whole.minus(others), Dim.ONE);
        if (whole.isKnown() && !others.plus(last).equals(whole)) {
            throw call.refused(
                    "splits " + whole + " elements into " + count + " parts, of which the last one is empty",
                    "split into fewer parts");
        }
        List<Dim> parts = new ArrayList<>(Collections.nCopies(count - 1, most));
        parts.add(last);
        List<Dim> dims = new ArrayList<>(x.dims());
        dims.set(axis, others.plus(last));
        return slices(call, call.builder().required(x, dims), axis, parts);
    }

    private static List<Value> equal(NodeCall call, Value x, int axis, int count, Dim each) {
        SDVariable[] parts = call.graph().split(x.variable(), count, axis);
        List<Value> results = new ArrayList<>();
        for (SDVariable part : parts) {
            List<Dim> dims = new ArrayList<>(x.dims());
            dims.set(axis, each);
            results.add(Value.computed(part, x.type(), dims));
        }
        return results;
    }

    private static @Nullable List<Dim> given(NodeCall call) {
        long[] given = call.node().integers("split");
        if (given != null) {
            return HostTensor.vector(given).asDims();
        }
        return call.optional(1).isPresent() ? call.known(1, "sizes").asDims() : null;
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
