package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;

/** Repeating a tensor along axes of size one until it has given sizes, by tile, whose gradient is right. */
final class Expanding {
    private Expanding() {}

    /**
     * Returns {@code x} broadcast with {@code target}, which has at least as many axes. Whether an axis of open size is one, and
     * is repeated, is found out when the graph runs, which fails if it is neither that nor as long as the target.
     */
    static Value expand(NodeCall call, Value x, List<Dim> target) {
        GraphBuilder builder = call.builder();
        RuntimeSizes sizes = builder.sizes();
        List<Dim> padded = new ArrayList<>(x.dims());
        while (padded.size() < target.size()) {
            padded.add(0, Dim.ONE);
        }
        Holdable.require(call, target);
        List<Dim> repeats = new ArrayList<>();
        List<Dim> dims = new ArrayList<>();
        List<Dim> repeated = new ArrayList<>();
        for (int axis = 0; axis < target.size(); axis++) {
            Dim have = padded.get(axis);
            Dim want = target.get(axis);
            boolean unknown = !sizes.isKnown(have) || !sizes.isKnown(want);
            boolean stays = have.equals(want) || want.is(1) || unknown && !have.is(1);
            Dim repeat = stays ? Dim.ONE : sizes.repeats(have, want);
            repeats.add(repeat);
            repeated.add(have.times(repeat));
            dims.add(stays ? have : have.is(1) ? want : want.times(sizes.repeats(want, have)));
        }
        Value full = builder.reshape(x, padded);
        Value result = repeats.stream().allMatch(repeat -> repeat.is(1))
                ? full
                : builder.origins()
                        .like(Value.computed(tile(builder, full.variable(), repeats), x.type(), repeated), x);
        return builder.required(result, dims);
    }

    /** Repeats by counts that may only be known when the graph runs; equal requests are one operator. */
    static SDVariable tile(GraphBuilder builder, SDVariable x, List<Dim> repeats) {
        return builder.once(x, "tile " + repeats, () -> {
            if (repeats.stream().allMatch(Dim::isKnown)) {
                return builder.graph()
                        .tile(
                                x,
                                repeats.stream()
                                        .mapToInt(dim -> (int) dim.known())
                                        .toArray());
            }
            return builder.graph()
                    .tile(x, builder.constant(HostTensor.vector(repeats)).variable());
        });
    }

    /** The Expand operator: broadcasting in both directions. */
    static List<Value> expandTo(NodeCall call) {
        Value x = call.in(0);
        HostTensor shape = call.known(1, "sizes");
        List<Dim> target = new ArrayList<>(shape.asDims());
        Broadcast.dims(call, x.dims(), target);
        while (target.size() < x.rank()) {
            target.add(0, Dim.ONE);
        }
        return List.of(expand(call, x, target));
    }

    /** The Tile operator. */
    static List<Value> tiled(NodeCall call) {
        Value x = call.in(0);
        List<Dim> repeats = call.known(1, "repeats").asDims();
        if (repeats.size() != x.rank()
                || repeats.stream().anyMatch(repeat -> Dim.ZERO.minus(repeat).isAtLeast(0))) {
            throw call.refused(
                    "repeats a tensor of " + x.rank() + " axes " + repeats
                            + " times; one number of one or more for every axis can be imported",
                    "export with such numbers as a constant");
        }
        List<Dim> dims = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            dims.add(x.dim(axis).times(repeats.get(axis)));
        }
        Holdable.require(call, dims);
        Holdable.require(call, repeats);
        Optional<Dim> grows = repeats.stream().filter(repeat -> !repeat.is(1)).findFirst();
        return grows.isEmpty() ? List.of(x) : call.result(tile(call.builder(), x.variable(), repeats), x.type(), dims);
    }
}
