package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Slices. Axes behind an ellipsis are counted from the end, so that the number of axes need not be known.
 *
 * <p>A StridedSlice becomes a Slice, then a Squeeze of the axes that an index replaces, then an Unsqueeze for new axes.
 */
final class Slices {
    private static final long END = Long.MAX_VALUE;

    private final TensorFlowCall call;
    private final List<Bound> starts = new ArrayList<>();
    private final List<Bound> ends = new ArrayList<>();
    private final List<Long> axes = new ArrayList<>();
    private final List<Long> steps = new ArrayList<>();
    private final List<Long> removed = new ArrayList<>();
    private final List<Long> inserted = new ArrayList<>();
    private String value;

    /** A bound: a number, or the name of a value without axes that holds it. */
    private record Bound(long number, @Nullable String value) {}

    private Slices(TensorFlowCall call) {
        this.call = call;
        this.value = call.in(0);
    }

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("StridedSlice", call -> new Slices(call).strided());
        operators.put("Slice", call -> new Slices(call).plain());
    }

    /** Begin and size of every axis; a size of -1 runs to the end. A size that is computed is taken to be one. */
    private void plain() {
        int rank = count();
        List<Bound> begin = bounds(1, rank);
        List<Bound> size = bounds(2, rank);
        for (int axis = 0; axis < rank; axis++) {
            add(axis, begin.get(axis), sum(begin.get(axis), size.get(axis)), 1);
        }
        finish();
    }

    /** The number of axes, which is the number of bounds. */
    private int count() {
        for (int input = 1; input <= 2; input++) {
            Optional<StoredTensor> stored = call.stored(input);
            if (stored.isPresent()) {
                return stored.get().longs().length;
            }
            TensorFlowNode writer = call.translation().node(call.tensor(input));
            if (writer.operator().equals("Pack")) {
                return writer.inputs().size();
            }
        }
        throw call.refused(
                "computes both where it begins and how much it takes, so that the number of axes is not known",
                "give one of them as a constant or as a list of numbers");
    }

    private Bound sum(Bound begin, Bound size) {
        if (size.value() == null && size.number() < 0) {
            return new Bound(END, null);
        }
        if (begin.value() == null && size.value() == null) {
            return new Bound(begin.number() + size.number(), null);
        }
        if (begin.value() == null && begin.number() == 0) {
            return size;
        }
        return new Bound(0, call.emit("Add", scalar(begin), scalar(size)));
    }

    private String scalar(Bound bound) {
        return bound.value() == null ? call.whole(bound.number()) : bound.value();
    }

    private void strided() {
        long[] strides = call.numbers(3, "strides");
        List<Bound> begin = bounds(1, strides.length);
        List<Bound> end = bounds(2, strides.length);
        long ellipsis = call.node().integer("ellipsis_mask", 0);
        long created = call.node().integer("new_axis_mask", 0) & ~ellipsis;
        long shrink = call.node().integer("shrink_axis_mask", 0) & ~ellipsis & ~created;
        int at = ellipsis == 0 ? strides.length : Long.numberOfTrailingZeros(ellipsis);
        for (int i = 0; i < strides.length; i++) {
            if (i == at) {
                continue;
            }
            boolean behind = i > at;
            long skipped = created | ellipsis;
            long axis = behind ? -count(~skipped, i, strides.length) : count(~skipped, 0, i);
            if (bit(created, i)) {
                long place = behind ? -count(~shrink, i, strides.length) : count(~shrink, 0, i);
                inserted.add(place);
            } else if (bit(shrink, i)) {
                index(axis, begin.get(i));
            } else {
                range(i, axis, begin.get(i), end.get(i), strides[i]);
            }
        }
        finish();
    }

    private static boolean bit(long mask, int index) {
        return (mask >> index & 1) == 1;
    }

    private static long count(long mask, int from, int to) {
        return LongStream.range(from, to).filter(i -> bit(mask, (int) i)).count();
    }

    private void index(long axis, Bound at) {
        removed.add(axis);
        if (at.value() != null) {
            value = call.emit("Gather", Map.of("axis", axis), value, call.emit("Reshape", at.value(), call.vector(1)));
            return;
        }
        add(axis, at, new Bound(at.number() == -1 ? END : at.number() + 1, null), 1);
    }

    private void range(int i, long axis, Bound begin, Bound end, long step) {
        boolean fromFirst = bit(call.node().integer("begin_mask", 0), i);
        boolean toLast = bit(call.node().integer("end_mask", 0), i);
        if (fromFirst && toLast && step == 1) {
            return;
        }
        Bound first = new Bound(step > 0 ? 0 : END, null);
        Bound last = new Bound(step > 0 ? END : -END, null);
        add(axis, fromFirst ? first : begin, toLast ? last : end, step);
    }

    private void add(long axis, Bound start, Bound end, long step) {
        axes.add(axis);
        starts.add(start);
        ends.add(end);
        steps.add(step);
    }

    private void finish() {
        if (!axes.isEmpty()) {
            value = call.emit("Slice", value, vector(starts), vector(ends), numbers(axes), numbers(steps));
        }
        if (!removed.isEmpty()) {
            value = call.emit("Squeeze", value, numbers(removed));
        }
        if (inserted.isEmpty()) {
            call.result("Identity", value);
        } else {
            call.result("Unsqueeze", value, numbers(inserted));
        }
    }

    private String numbers(List<Long> numbers) {
        return call.vector(numbers.stream().mapToLong(Long::longValue).toArray());
    }

    private String vector(List<Bound> bounds) {
        if (bounds.stream().allMatch(bound -> bound.value() == null)) {
            return call.vector(bounds.stream().mapToLong(Bound::number).toArray());
        }
        String[] parts = bounds.stream()
                .map(bound -> bound.value() == null
                        ? call.vector(bound.number())
                        : call.emit("Reshape", bound.value(), call.vector(1)))
                .toArray(String[]::new);
        return call.emit("Concat", Map.of("axis", 0), parts);
    }

    /** The elements of a vector of bounds, each on its own: numbers where they are known, as beside a size in a Pack. */
    private List<Bound> bounds(int input, int count) {
        Translation translation = call.translation();
        List<Bound> bounds = new ArrayList<>();
        Optional<StoredTensor> stored = call.stored(input);
        TensorFlowNode writer = translation.node(call.tensor(input));
        String whole = stored.isPresent() || writer.operator().equals("Pack") ? "" : call.int64(input);
        long[] known = stored.map(StoredTensor::longs).orElse(new long[0]);
        int given = stored.isPresent()
                ? known.length
                : whole.isEmpty() ? writer.inputs().size() : count;
        if (given < count) {
            throw new InvalidInputException(
                    call.node().name() + " has " + given + " bounds for " + count + " strides" + NotValid.DAMAGED);
        }
        for (int i = 0; i < count; i++) {
            if (stored.isPresent()) {
                bounds.add(new Bound(known[i], null));
            } else if (whole.isEmpty()) {
                bounds.add(element(writer.inputs().get(i)));
            } else {
                bounds.add(new Bound(0, call.emit("Gather", Map.of("axis", 0), whole, call.whole(i))));
            }
        }
        return bounds;
    }

    private Bound element(String tensor) {
        return call.translation()
                .stored(tensor)
                .map(known -> new Bound(known.longs()[0], null))
                .orElseGet(() -> new Bound(
                        0, call.cast(call.translation().value(tensor), org.tensorflow.framework.DataType.DT_INT64)));
    }
}
