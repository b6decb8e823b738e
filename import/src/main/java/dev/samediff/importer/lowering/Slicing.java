package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/** Slices, with bounds that are numbers or sizes. SameDiff's stridedSlice checks its bounds instead of clamping them. */
final class Slicing {
    /** What exporters write for "to the end". */
    private static final long END = Integer.MAX_VALUE;

    /** Steps from here on reach beyond every tensor, and M2.1 computes with their sums in 32 bits. */
    private static final long BEYOND = 1 << 30;

    /** The length of an axis that stays as it is, of the library's {@code slice}. */
    private static final int WHOLE = -1;

    private Slicing() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Slice", Slicing::slice);
    }

    /** One axis of a slice: elements from start (inclusive) to end (exclusive), every step-th. */
    record Cut(int axis, Dim start, Dim end, long step) {
        boolean isEmpty() {
            return end.minus(start).is(0);
        }
    }

    private static List<Value> slice(NodeCall call) {
        Value x = call.in(0);
        List<Dim> starts = bounds(call, "starts", 1);
        List<Dim> ends = bounds(call, "ends", 2);
        long[] axes = axes(call, starts.size());
        List<Cut> cuts = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < axes.length; i++) {
            int axis = Axes.normalise(call.node(), axes[i], x.rank());
            if (!seen.add(axis)) {
                throw call.invalid("slices axis " + axis + " twice");
            }
            long step = call.optional(4).isPresent() ? call.known(4, "steps").asLong(i) : 1;
            if (step == 0) {
                throw call.invalid("slices with step 0");
            }
            if (step < 0) {
                x = reversed(call, x, axis);
            }
            cuts.add(cut(call, axis, starts.get(i), ends.get(i), x.dim(axis), step));
        }
        return List.of(slice(call, x, cuts));
    }

    /** The part of an axis; one that runs backwards as a part of the reversed axis, where element i is size - 1 - i. */
    private static Cut cut(NodeCall call, int axis, Dim start, Dim end, Dim size, long step) {
        if (step > 0) {
            return ordered(call, axis, bound(call, start, size, 0, 0), bound(call, end, size, 0, 0), size, step);
        }
        Dim from = size.minus(bound(call, start, size, 1, 1));
        Dim to = isToTheEnd(end) ? size : size.minus(bound(call, end, size, 1, 0));
        return ordered(call, axis, from, to, size, step == Long.MIN_VALUE ? Long.MAX_VALUE : -step);
    }

    /** "To the end", which for ONNX Runtime is the first element of a slice that runs backwards; for the ONNX text it is the last. */
    private static boolean isToTheEnd(Dim end) {
        return end.isKnown() && (end.known() == END || end.known() == Long.MAX_VALUE);
    }

    /** A part of an axis between two places inside of it; nothing if they are the other way round. */
    static Cut ordered(NodeCall call, int axis, Dim from, Dim to, Dim size, long step) {
        Dim length = to.minus(from);
        boolean certain = from.is(0) && to.isAtLeast(0) || to.equals(size);
        return new Cut(
                axis, from, certain ? to : from.plus(call.builder().sizes().larger(length, Dim.ZERO)), step);
    }

    /** A part whose step leads out of the axis has its first element alone. */
    private static Cut reachable(NodeCall call, Cut cut, Dim size) {
        boolean single = cut.step() >= BEYOND || (size.isKnown() && cut.step() > 1 && cut.step() >= size.known());
        Dim length = cut.end().minus(cut.start());
        return single
                ? new Cut(
                        cut.axis(),
                        cut.start(),
                        cut.start().plus(call.builder().sizes().smaller(length, Dim.ONE)),
                        1)
                : cut;
    }

    /**
     * A bound of a slice, from {@code least} to the size of the axis, as ONNX clamps it. What sign it has, and whether it is
     * inside, is found out when the graph runs where it does not follow from the file.
     *
     * @param shift what is added to the place: one for what lies behind it
     */
    private static Dim bound(NodeCall call, Dim bound, Dim size, long shift, long least) {
        if (bound.isKnown() && bound.known() >= END) {
            return size;
        }
        if (bound.isKnown() && bound.known() <= -END) {
            return Dim.of(least);
        }
        Dim place = call.builder().sizes().place(bound, size).plus(Dim.of(shift));
        if (place.isKnown() && size.isKnown()) {
            return Dim.of(Math.min(size.known(), Math.max(least, place.known())));
        }
        Dim raised = call.builder().sizes().larger(place, Dim.of(least));
        return size.minus(place).isAtLeast(0) ? raised : call.builder().sizes().smaller(raised, size);
    }

    /** The elements of an axis from the last to the first. */
    static Value reversed(NodeCall call, Value x, int axis) {
        DataType type = x.type() == DataType.BOOL ? DataType.INT : x.type();
        SDVariable from = call.builder().cast(x.variable(), x.type(), type);
        SDVariable result = call.graph().reverse(from, axis);
        Value reversed = Value.computed(call.builder().cast(result, type, x.type()), x.type(), x.dims());
        return call.builder().origins().like(reversed, x);
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

    /** Cuts several axes at once; the parts lie inside of their axes, and none ends before it begins. */
    static Value slice(NodeCall call, Value x, List<Cut> given) {
        List<Cut> cuts = given.stream()
                .map(cut -> reachable(call, cut, x.dim(cut.axis())))
                .toList();
        List<Cut> empty = cuts.stream().filter(Cut::isEmpty).toList();
        List<Cut> others = cuts.stream().filter(cut -> !cut.isEmpty()).toList();
        return emptied(call, parted(call, x, others), empty);
    }

    /** Without any element of these axes; M2.1's {@code strided_slice} writes outside of such results, its {@code slice} does not. */
    private static Value emptied(NodeCall call, Value x, List<Cut> cuts) {
        if (cuts.isEmpty()) {
            return x;
        }
        int[] lengths = new int[x.rank()];
        Arrays.fill(lengths, WHOLE);
        List<Dim> dims = new ArrayList<>(x.dims());
        for (Cut cut : cuts) {
            lengths[cut.axis()] = 0;
            dims.set(cut.axis(), Dim.ZERO);
        }
        SDVariable nothing = call.graph().slice(x.variable(), new int[x.rank()], lengths);
        return call.builder().origins().like(Value.computed(nothing, x.type(), dims), x);
    }

    private static Value parted(NodeCall call, Value x, List<Cut> cuts) {
        List<Dim> begin = new ArrayList<>(Collections.nCopies(x.rank(), Dim.ZERO));
        List<Dim> end = new ArrayList<>(x.dims());
        long[] steps = new long[x.rank()];
        Arrays.fill(steps, 1);
        List<Dim> dims = new ArrayList<>(x.dims());
        for (Cut cut : cuts) {
            Dim length = cut.end().minus(cut.start());
            begin.set(cut.axis(), cut.start());
            end.set(cut.axis(), cut.end());
            steps[cut.axis()] = cut.step();
            dims.set(cut.axis(), call.builder().sizes().parts(length, cut.step()));
        }
        if (begin.stream().allMatch(bound -> bound.is(0))
                && end.equals(x.dims())
                && Arrays.stream(steps).allMatch(step -> step == 1)) {
            return x;
        }
        SDVariable part = emit(call, filled(call, x, cuts), begin, end, steps);
        return call.builder().origins().like(Value.computed(part, x.type(), dims), x);
    }

    /**
     * The tensor; the graph fails when it runs if a part without elements is cut out of it where that is not known before: of an
     * axis of size one M2.1 writes outside of such results, in every form of bounds.
     */
    private static Value filled(NodeCall call, Value x, List<Cut> cuts) {
        List<Dim> dims = new ArrayList<>(x.dims());
        for (Cut cut : cuts) {
            Dim length = cut.end().minus(cut.start());
            if (!length.isKnown() && !length.isAtLeast(1)) {
                Dim missing = Dim.ONE.minus(call.builder().sizes().smaller(length, Dim.ONE));
                dims.set(cut.axis(), dims.get(cut.axis()).plus(missing));
            }
        }
        return Value.computed(call.builder().required(x, dims).variable(), x.type(), x.dims());
    }

    /**
     * With bounds as numbers, from the end where the size is open, or with all of them as arrays: there M2.1 takes an end below
     * zero for one below the size, and writes outside of the result, as it does with steps. So arrays hold places counted from the
     * start, and steps are taken afterwards. "To the end" is a mask only where the slice has elements: from behind the last one,
     * M2.1 takes the last one.
     */
    private static SDVariable emit(NodeCall call, Value x, List<Dim> begin, List<Dim> end, long[] steps) {
        int toEnd = 0;
        for (int axis = 0; axis < x.rank(); axis++) {
            boolean filled =
                    begin.get(axis).is(0) || x.dim(axis).minus(begin.get(axis)).isAtLeast(1);
            if (filled && end.get(axis).equals(x.dim(axis))) {
                toEnd |= 1 << axis;
                end.set(axis, Dim.ZERO);
            }
        }
        List<Dim> begins = numbered(x, begin);
        List<Dim> ends = numbered(x, end);
        if (begins.stream().allMatch(Dim::isKnown) && ends.stream().allMatch(Dim::isKnown)) {
            return call.graph().stridedSlice(x.variable(), numbers(begins), numbers(ends), steps, 0, toEnd, 0, 0, 0);
        }
        GraphBuilder builder = call.builder();
        long[] ones = new long[x.rank()];
        Arrays.fill(ones, 1);
        SDVariable part = call.graph()
                .stridedSlice(
                        x.variable(),
                        builder.constant(HostTensor.vector(begin)).variable(),
                        builder.constant(HostTensor.vector(end)).variable(),
                        builder.constant(HostTensor.vector(ones)).variable(),
                        0,
                        toEnd,
                        0,
                        0,
                        0);
        long[] zeros = new long[x.rank()];
        return Arrays.equals(steps, ones)
                ? part
                : call.graph().stridedSlice(part, zeros, zeros, steps, 0, (1 << x.rank()) - 1, 0, 0, 0);
    }

    /** The places, counted from the end of the axis where that makes them numbers. */
    private static List<Dim> numbered(Value x, List<Dim> places) {
        List<Dim> result = new ArrayList<>(places);
        for (int axis = 0; axis < x.rank(); axis++) {
            Dim fromEnd = places.get(axis).minus(x.dim(axis));
            if (!places.get(axis).isKnown() && fromEnd.isKnown() && fromEnd.known() < 0) {
                result.set(axis, fromEnd);
            }
        }
        return result;
    }

    private static long[] numbers(List<Dim> dims) {
        return dims.stream().mapToLong(Dim::known).toArray();
    }
}
