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

/** Padding, axis by axis: constants, repeated edges and reflections beside the tensor; negative pads cut. */
final class Padding {
    private Padding() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Pad", Padding::pad);
    }

    private static List<Value> pad(NodeCall call) {
        Value x = call.in(0);
        long[] attribute = call.node().integers("pads");
        HostTensor pads = attribute == null ? call.known(1, "pads") : HostTensor.vector(attribute);
        int[] axes = call.optional(3).isPresent()
                ? IntStream.range(0, call.known(3, "axes").length())
                        .map(i -> Axes.normalise(
                                call.node(), call.known(3, "axes").asLong(i), x.rank()))
                        .toArray()
                : IntStream.range(0, x.rank()).toArray();
        if (pads.length() != 2 * axes.length) {
            throw call.invalid("has " + pads.length() + " pads for " + axes.length + " axes");
        }
        Value result = x;
        for (int i = 0; i < axes.length; i++) {
            result = axis(call, result, axes[i], pads.dim(i), pads.dim(axes.length + i));
        }
        return List.of(result);
    }

    private static Value axis(NodeCall call, Value x, int axis, Dim before, Dim after) {
        Value cut = cut(call, x, axis, taken(call, before), taken(call, after));
        Dim first = added(call, before);
        Dim last = added(call, after);
        Dim more = spare(first);
        List<Value> parts = new ArrayList<>();
        part(call, cut, axis, first.plus(more), true).ifPresent(parts::add);
        parts.add(cut);
        part(call, cut, axis, last.plus(spare(last)), false).ifPresent(parts::add);
        if (parts.size() == 1) {
            return cut;
        }
        Value joined = call.emit("Concat", Map.of("axis", axis), parts.toArray(new @Nullable Value[0]));
        Dim size = more.plus(first).plus(cut.dim(axis)).plus(last);
        return more.is(0) && spare(last).is(0)
                ? joined
                : Slicing.slice(call, joined, List.of(new Slicing.Cut(axis, more, size, 1)));
    }

    /** One element more where there may be none, which is cut off again: M2.1 cannot make a tensor without elements. */
    private static Dim spare(Dim count) {
        return count.isKnown() || count.isPositive() ? Dim.ZERO : Dim.ONE;
    }

    /** What a pad of any sign adds. */
    private static Dim added(NodeCall call, Dim pad) {
        return call.builder().sizes().larger(pad, Dim.ZERO);
    }

    /** What a pad of any sign takes away. */
    private static Dim taken(NodeCall call, Dim pad) {
        return call.builder().sizes().larger(Dim.ZERO.minus(pad), Dim.ZERO);
    }

    /** What is left between two cuts; cuts of more than there is are refused, of an open size when the graph runs. */
    private static Value cut(NodeCall call, Value given, int axis, Dim before, Dim after) {
        Dim size = given.dim(axis);
        Dim all = before.plus(after);
        if (all.minus(size).isAtLeast(1)) {
            throw call.invalid("cuts " + all + " of " + size + " elements of axis " + axis + " off");
        }
        List<Dim> dims = new ArrayList<>(given.dims());
        dims.set(axis, call.builder().sizes().larger(size, all));
        Value x = all.is(0) ? given : call.builder().required(given, dims);
        return Slicing.slice(call, x, List.of(Slicing.ordered(call, axis, before, size.minus(after), size, 1)));
    }

    private static Optional<Value> part(NodeCall call, Value x, int axis, Dim count, boolean before) {
        if (count.is(0)) {
            return Optional.empty();
        }
        String mode = call.node().text("mode", "constant");
        if (mode.equals("constant")) {
            List<Dim> dims = new ArrayList<>(x.dims());
            dims.set(axis, count);
            return Optional.of(Expanding.expand(call, fill(call, x), dims));
        }
        if (!count.isKnown()) {
            throw call.refused(
                    "pads in mode " + mode + " by a number that is not known before the graph runs",
                    "export with that number fixed");
        }
        List<Value> elements = new ArrayList<>();
        for (long i = 0; i < count.known(); i++) {
            elements.add(element(call, x, axis, mode, before, before ? count.known() - i : i + 1));
        }
        return Optional.of(
                elements.size() == 1
                        ? elements.get(0)
                        : call.emit("Concat", Map.of("axis", axis), elements.toArray(new @Nullable Value[0])));
    }

    /** The element that stands {@code distance} outside of the edge; an open axis that has none fails when the graph runs. */
    private static Value element(NodeCall call, Value x, int axis, String mode, boolean before, long distance) {
        long least = switch (mode) {
            case "edge" -> 1;
            case "reflect" -> distance + 1;
            case "wrap" -> distance;
            default ->
                throw call.refused(
                        "pads in mode " + mode + "; constant, edge, reflect and wrap can be imported",
                        "use one of these, or slices and Concat");
        };
        if (Dim.of(least).minus(x.dim(axis)).isAtLeast(1)) {
            throw call.refused(
                    "pads an axis of size " + x.dim(axis) + " by more than mode " + mode + " allows",
                    "pad by less, or in mode constant");
        }
        List<Dim> dims = new ArrayList<>(x.dims());
        dims.set(axis, call.builder().sizes().larger(x.dim(axis), Dim.of(least)));
        Value enough = call.builder().required(x, dims);
        Dim size = enough.dim(axis);
        Dim at = switch (mode) {
            case "edge" -> before ? Dim.ZERO : size.minus(Dim.ONE);
            case "reflect" -> before ? Dim.of(distance) : size.minus(Dim.of(distance + 1));
            default -> before ? size.minus(Dim.of(distance)) : Dim.of(distance - 1);
        };
        return Slicing.slice(call, enough, List.of(new Slicing.Cut(axis, at, at.plus(Dim.ONE), 1)));
    }

    private static Value fill(NodeCall call, Value x) {
        Value given = call.optional(2).orElse(null);
        List<Dim> ones = new ArrayList<>();
        x.dims().forEach(dim -> ones.add(Dim.ONE));
        if (given != null && given.content() == null) {
            return call.builder().reshape(given, ones);
        }
        long[] shape = new long[x.rank()];
        Arrays.fill(shape, 1);
        HostTensor number = given != null && given.content() != null
                ? given.content()
                : HostTensor.filled(x.type(), new long[0], call.node().real("value", 0));
        return call.builder().constant(number.reshaped(shape));
    }
}
