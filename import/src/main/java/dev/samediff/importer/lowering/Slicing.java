package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Slices, with bounds that are numbers or sizes. SameDiff's stridedSlice checks its bounds instead of clamping them. */
final class Slicing {
    /** What exporters write for "to the end". */
    private static final long END = Integer.MAX_VALUE;

    private Slicing() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Slice", Slicing::slice);
    }

    /** One axis of a slice: elements from start (inclusive) to end (exclusive), every step-th. */
    record Cut(int axis, Dim start, Dim end, long step) {}

    private static List<Value> slice(NodeCall call) {
        Value x = call.in(0);
        List<Dim> starts = bounds(call, "starts", 1);
        List<Dim> ends = bounds(call, "ends", 2);
        long[] axes = axes(call, starts.size());
        List<Cut> cuts = new ArrayList<>();
        for (int i = 0; i < axes.length; i++) {
            int axis = Axes.normalise(call.node(), axes[i], x.rank());
            long step = call.optional(4).isPresent() ? call.known(4, "steps").asLong(i) : 1;
            Dim size = x.dim(axis);
            if (step == 0) {
                throw call.refused("slices with step 0; the graph is not valid ONNX");
            }
            if (step < 0) {
                x = reversed(call, x, axis);
                cuts.add(backwards(call, axis, starts.get(i), ends.get(i), size, -step));
                continue;
            }
            cuts.add(new Cut(axis, start(starts.get(i), size), end(call, ends.get(i), size), step));
        }
        return List.of(slice(call, x, cuts));
    }

    /** The elements of an axis from the last to the first. */
    static Value reversed(NodeCall call, Value x, int axis) {
        DataType type = x.type() == DataType.BOOL ? DataType.INT : x.type();
        SDVariable from = call.builder().cast(x.variable(), x.type(), type);
        SDVariable result = call.graph().reverse(from, axis);
        return Value.computed(call.builder().cast(result, type, x.type()), x.type(), x.dims());
    }

    /** A slice that runs backwards, as one of the reversed axis: element i is element size - 1 - i. */
    private static Cut backwards(NodeCall call, int axis, Dim start, Dim end, Dim size, long step) {
        Dim last = size.minus(Dim.ONE);
        Dim behind = last.minus(place(call, end, size, last));
        boolean open = behind.isKnown() && !size.isKnown();
        Dim to = open ? call.builder().sizes().smaller(behind, size) : behind;
        return new Cut(axis, last.minus(place(call, start, size, last)), to, step);
    }

    /** A bound of a backward slice, between -1 (before the first) and the last element. */
    private static Dim place(NodeCall call, Dim bound, Dim size, Dim last) {
        if (!bound.isKnown()) {
            return bound;
        }
        if (bound.known() >= END) {
            return last;
        }
        if (bound.known() <= -END) {
            return Dim.of(-1);
        }
        Dim positive = bound.known() < 0 ? size.plus(bound) : bound;
        if (positive.isKnown() && size.isKnown()) {
            return Dim.of(Math.max(-1, Math.min(positive.known(), last.known())));
        }
        return bound.known() < 0 ? positive : call.builder().sizes().smaller(positive, last);
    }

    private static List<Dim> bounds(NodeCall call, String name, int index) {
        long[] given = call.node().integers(name);
        return given != null
                ? HostTensor.vector(given).asDims()
                : call.known(index, name).asDims();
    }

    private static long[] axes(NodeCall call, int count) {
        long[] given = call.node().integers("axes");
        if (given != null) {
            return given;
        }
        return call.optional(3).isPresent()
                ? call.known(3, "axes").asLongs()
                : LongStream.range(0, count).toArray();
    }

    private static Dim start(Dim start, Dim size) {
        Dim positive = start.isKnown() && start.known() < 0 ? size.plus(start) : start;
        if (positive.isKnown() && size.isKnown()) {
            return Dim.of(Math.max(0, Math.min(positive.known(), size.known())));
        }
        return positive;
    }

    /** A known end beyond an unknown size is clamped when the graph runs; sizes as ends are taken to fit. */
    private static Dim end(NodeCall call, Dim end, Dim size) {
        if (!end.isKnown()) {
            return end;
        }
        if (end.known() >= END) {
            return size;
        }
        Dim positive = end.known() < 0 ? size.plus(end) : end;
        if (size.isKnown()) {
            return Dim.of(Math.max(0, Math.min(positive.known(), size.known())));
        }
        return end.known() < 0 ? positive : call.builder().sizes().smaller(positive, size);
    }

    /** Cuts several axes at once. */
    static Value slice(NodeCall call, Value x, List<Cut> cuts) {
        List<Dim> begin = new ArrayList<>(Collections.nCopies(x.rank(), Dim.ZERO));
        List<Dim> end = new ArrayList<>(x.dims());
        long[] steps = new long[x.rank()];
        Arrays.fill(steps, 1);
        List<Dim> dims = new ArrayList<>(x.dims());
        for (Cut cut : cuts) {
            begin.set(cut.axis(), cut.start());
            end.set(cut.axis(), cut.end());
            steps[cut.axis()] = cut.step();
            dims.set(cut.axis(), length(call, cut));
        }
        if (begin.stream().allMatch(bound -> bound.is(0))
                && end.equals(x.dims())
                && Arrays.stream(steps).allMatch(step -> step == 1)) {
            return x;
        }
        return Value.computed(emit(call, x, begin, end, steps), x.type(), dims);
    }

    private static Dim length(NodeCall call, Cut cut) {
        Dim length = cut.end().minus(cut.start());
        if (length.isKnown()) {
            return Dim.of(Math.max(0, (length.known() + cut.step() - 1) / cut.step()));
        }
        return cut.step() == 1 ? length : call.builder().unknown();
    }

    private static SDVariable emit(NodeCall call, Value x, List<Dim> begin, List<Dim> end, long[] steps) {
        SameDiff graph = call.graph();
        int toEnd = 0;
        for (int axis = 0; axis < x.rank(); axis++) {
            if (end.get(axis).equals(x.dim(axis))) {
                toEnd |= 1 << axis;
                end.set(axis, Dim.ZERO);
            }
            Dim fromEnd = begin.get(axis).minus(x.dim(axis));
            if (!begin.get(axis).isKnown() && fromEnd.isKnown() && fromEnd.known() < 0) {
                begin.set(axis, fromEnd);
            }
            Dim endFromEnd = end.get(axis).minus(x.dim(axis));
            if (!end.get(axis).isKnown() && endFromEnd.isKnown() && endFromEnd.known() < 0) {
                end.set(axis, endFromEnd);
            }
        }
        if (begin.stream().allMatch(Dim::isKnown) && end.stream().allMatch(Dim::isKnown)) {
            return graph.stridedSlice(x.variable(), numbers(begin), numbers(end), steps, 0, toEnd, 0, 0, 0);
        }
        GraphBuilder builder = call.builder();
        return graph.stridedSlice(
                x.variable(),
                builder.constant(HostTensor.vector(begin)).variable(),
                builder.constant(HostTensor.vector(end)).variable(),
                builder.constant(HostTensor.vector(steps)).variable(),
                0,
                toEnd,
                0,
                0,
                0);
    }

    private static long[] numbers(List<Dim> dims) {
        return dims.stream().mapToLong(Dim::known).toArray();
    }
}
