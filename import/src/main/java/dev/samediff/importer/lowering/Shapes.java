package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Sizes, and operators that change the shape but not the elements' values. */
final class Shapes {
    private Shapes() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Shape", Shapes::shape);
        operators.put(
                "Size",
                call -> List.of(call.builder()
                        .constant(scalar(call.in(0).dims().stream().reduce(Dim.ONE, Dim::times)))));
        operators.put("Identity", call -> List.of(call.in(0)));
        operators.put("Reshape", Shapes::reshape);
        operators.put("Flatten", Shapes::flatten);
        operators.put("Squeeze", Shapes::squeeze);
        operators.put("Unsqueeze", Shapes::unsqueeze);
        operators.put("Transpose", Shapes::transpose);
        operators.put("Expand", Expanding::expandTo);
        operators.put("Tile", Expanding::tiled);
    }

    static HostTensor scalar(Dim dim) {
        return HostTensor.of(DataType.LONG, new long[0], new Dim[] {dim});
    }

    private static List<Value> shape(NodeCall call) {
        List<Dim> dims = call.in(0).dims();
        int rank = dims.size();
        int start = clamp(call.node().integer("start", 0), rank);
        int end = clamp(call.node().integer("end", rank), rank);
        return List.of(call.builder().constant(HostTensor.vector(dims.subList(start, Math.max(start, end)))));
    }

    private static int clamp(long bound, int rank) {
        return (int) Math.max(0, Math.min(bound < 0 ? bound + rank : bound, rank));
    }

    private static List<Value> reshape(NodeCall call) {
        Value x = call.in(0);
        HostTensor shape = call.in(1).content();
        if (shape == null) {
            return byComputedShape(call, x);
        }
        List<Dim> dims = new ArrayList<>(shape.asDims());
        for (int axis = 0; axis < dims.size(); axis++) {
            if (dims.get(axis).is(0) && call.node().integer("allowzero", 0) == 0) {
                if (axis >= x.rank()) {
                    throw call.invalid("copies the size of axis " + axis + ", which its input lacks");
                }
                dims.set(axis, x.dim(axis));
            }
        }
        int open = dims.indexOf(Dim.of(-1));
        if (open >= 0) {
            dims.set(open, rest(call, x, dims, open));
        }
        requireLength(call, x, dims);
        return List.of(call.builder().reshape(x, dims));
    }

    private static void requireLength(NodeCall call, Value x, List<Dim> dims) {
        boolean known =
                x.dims().stream().allMatch(Dim::isKnown) && dims.stream().allMatch(Dim::isKnown);
        boolean differs = known
                && !x.dims().stream()
                        .reduce(Dim.ONE, Dim::times)
                        .equals(dims.stream().reduce(Dim.ONE, Dim::times));
        if (differs || dims.stream().anyMatch(dim -> Dim.ZERO.minus(dim).isAtLeast(1))) {
            throw call.invalid("reshapes a tensor of sizes " + x.dims() + " to " + dims
                    + ", which has another number of elements");
        }
    }

    /** The size that -1 stands for: what is left of the number of elements. */
    private static Dim rest(NodeCall call, Value x, List<Dim> dims, int open) {
        List<Dim> left = new ArrayList<>(x.dims());
        Dim others = Dim.ONE;
        for (int axis = 0; axis < dims.size(); axis++) {
            if (axis != open && !left.remove(dims.get(axis))) {
                others = others.times(dims.get(axis));
            }
        }
        Dim length = left.stream().reduce(Dim.ONE, Dim::times);
        Optional<Dim> quotient = length.dividedBy(others);
        if (quotient.isEmpty() && length.isKnown() && others.isKnown()) {
            throw call.invalid("reshapes a tensor of sizes " + x.dims() + " to " + dims
                    + ", which leaves no whole number for the size -1");
        }
        return quotient.orElseGet(call.builder()::unknown);
    }

    private static List<Value> byComputedShape(NodeCall call, Value x) {
        Dim rank = call.in(1).dim(0);
        if (!rank.isKnown()) {
            throw call.refused(
                    "reshapes to a number of axes that is not known before the graph runs",
                    "export with a fixed number of axes");
        }
        List<Dim> dims = new ArrayList<>();
        for (int axis = 0; axis < rank.known(); axis++) {
            dims.add(call.builder().unknown());
        }
        return call.result(call.graph().reshape(x.variable(), call.in(1).variable()), x.type(), dims);
    }

    /** Two axes: the product of those before {@code axis}, and of the others. */
    static List<Dim> flattened(List<Dim> dims, int axis) {
        return List.of(
                dims.subList(0, axis).stream().reduce(Dim.ONE, Dim::times),
                dims.subList(axis, dims.size()).stream().reduce(Dim.ONE, Dim::times));
    }

    private static List<Value> flatten(NodeCall call) {
        Value x = call.in(0);
        long axis = call.node().integer("axis", 1);
        return List.of(call.builder().reshape(x, flattened(x.dims(), clamp(axis, x.rank()))));
    }

    /**
     * The operand of a Squeeze that names no axes: what has which axes must not depend on the input, so the graph fails when it
     * runs if an axis of open size, which is kept, has the size one.
     */
    private static Value withoutOnes(NodeCall call, Value x) {
        List<Dim> dims = new ArrayList<>();
        if (!x.dims().stream().allMatch(Dim::isKnown)) {
            call.notes()
                    .accept(call.node()
                            + " names no axes; the graph fails where an axis of open size is one: export it with"
                            + " axes");
        }
        for (Dim dim : x.dims()) {
            boolean never =
                    dim.isKnown() || dim.isAtLeast(2) || !call.builder().sizes().isKnown(dim);
            dims.add(never ? dim : dim.times(call.builder().sizes().repeats(dim, Dim.of(2))));
        }
        return Value.computed(call.builder().required(x, dims).variable(), x.type(), x.dims());
    }

    private static List<Value> squeeze(NodeCall call) {
        Value x = call.in(0);
        int[] axes = call.axes(1, x.rank());
        int[] removed = axes != null
                ? axes
                : IntStream.range(0, x.rank()).filter(axis -> x.dim(axis).is(1)).toArray();
        List<Dim> dims = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            if (Arrays.binarySearch(removed, axis) < 0) {
                dims.add(x.dim(axis));
            }
        }
        if (axes == null) {
            return List.of(call.builder().reshape(withoutOnes(call, x), dims));
        }
        for (int axis : axes) {
            if (x.dim(axis).isKnown() && !x.dim(axis).is(1)) {
                throw call.invalid("removes axis " + axis + ", which has " + x.dim(axis) + " elements");
            }
        }
        if (unknown(dims) > 1 && removed.length == 1) {
            return call.result(call.graph().squeeze(x.variable(), removed[0]), x.type(), dims);
        }
        return List.of(call.builder().reshape(x, dims));
    }

    private static List<Value> unsqueeze(NodeCall call) {
        Value x = call.in(0);
        long[] given = call.node().integers("axes");
        long[] axes = given == null ? call.known(1, "axes").asLongs() : given;
        int rank = x.rank() + axes.length;
        int[] inserted = Axes.normalise(call.node(), axes, rank);
        if (inserted.length != axes.length) {
            throw call.invalid("inserts the axes " + Arrays.toString(axes) + ", of which two are the same");
        }
        List<Dim> dims = new ArrayList<>(x.dims());
        for (int axis : inserted) {
            dims.add(axis, Dim.ONE);
        }
        // M2.1's expandDims does nothing to a [1,1]: a batch of one text of one token
        if (unknown(dims) > 1 && inserted.length == 1 && x.rank() != 2) {
            return List.of(call.builder()
                    .once(
                            x.variable(),
                            "unsqueeze " + inserted[0],
                            () -> Value.computed(call.graph().expandDims(x.variable(), inserted[0]), x.type(), dims)));
        }
        return List.of(call.builder().reshape(x, dims));
    }

    private static long unknown(List<Dim> dims) {
        return dims.stream().filter(dim -> !dim.isKnown()).count();
    }

    private static List<Value> transpose(NodeCall call) {
        Value x = call.in(0);
        long @Nullable [] given = call.node().integers("perm");
        int[] order = new int[x.rank()];
        if (given != null && given.length != order.length) {
            throw call.invalid("orders " + given.length + " axes of " + order.length);
        }
        for (int axis = 0; axis < order.length; axis++) {
            order[axis] =
                    given == null ? order.length - 1 - axis : Axes.normalise(call.node(), given[axis], order.length);
        }
        if (Arrays.stream(order).distinct().count() != order.length) {
            throw call.invalid("orders the axes " + Arrays.toString(order) + ", of which two are the same");
        }
        return List.of(permuted(call, x, order));
    }

    /** Axes in another order. A stored matrix is only marked as transposed. */
    static Value permuted(NodeCall call, Value x, int... order) {
        boolean same = IntStream.range(0, order.length).allMatch(axis -> order[axis] == axis);
        if (same) {
            return x;
        }
        List<Dim> dims = Arrays.stream(order).mapToObj(x::dim).toList();
        if (x.stored() != null && x.rank() == 2) {
            return transposed(call.graph(), x, x.stored(), dims);
        }
        Value permuted = Value.computed(call.graph().permute(x.variable(), order), x.type(), dims);
        return call.builder().origins().like(permuted, x);
    }

    private static Value transposed(SameDiff graph, Value x, Value.Stored stored, List<Dim> dims) {
        if (stored.untransposed() != null) {
            return stored.untransposed();
        }
        Value.Stored seen = new Value.Stored(stored.tensor(), x);
        return new Value(x.type(), dims, null, seen, () -> graph.permute(x.variable(), 1, 0));
    }
}
