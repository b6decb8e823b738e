package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/** Rotary position embedding: pairs of features are turned by an angle that grows with the position. */
final class Rotation {
    private final NodeCall call;
    private final boolean interleaved;
    private final long width;

    /**
     * Prepares the rotation.
     *
     * @param interleaved whether neighbours are pairs; otherwise the first half is paired with the second
     * @param width how many features of a head are turned, 0: all
     */
    Rotation(NodeCall call, boolean interleaved, long width) {
        this.call = call;
        this.interleaved = interleaved;
        this.width = width;
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put("com.microsoft:RotaryEmbedding", Rotation::fused);
        operators.put("RotaryEmbedding", Rotation::own);
    }

    /** ONNX's own (operator set 23): tables [positions, half], or [B,S,half] without positions. */
    private static List<Value> own(NodeCall call) {
        Value x = call.in(0);
        long number = call.node().integer("num_heads", 0);
        if (x.rank() == 3 && number < 1) {
            throw call.invalid("does not tell its number of heads");
        }
        Rotation rotation = new Rotation(
                call, call.node().integer("interleaved", 0) == 1, call.node().integer("rotary_embedding_dim", 0));
        Attending attending = new Attending(call);
        Value heads = attending.heads(x, number);
        Value cosines = call.in(1);
        Value sines = call.in(2);
        Value turned = call.optional(3).isPresent()
                ? rotation.ofHeads(heads, call.in(3), cosines, sines)
                : rotation.turned(
                        heads,
                        call.emit("Unsqueeze", cosines, call.vector(1)),
                        call.emit("Unsqueeze", sines, call.vector(1)));
        return List.of(x.rank() == 3 ? attending.joined(turned) : turned);
    }

    private static List<Value> fused(NodeCall call) {
        if (call.node().integer("is_packed_batching", 0) == 1) {
            throw call.refused(
                    "is packed (is_packed_batching = 1); only batches with a sequence per row can be imported",
                    "export without packing");
        }
        Value x = call.in(0);
        Value cosines = call.in(2);
        long width = call.node().integer("rotary_embedding_dim", 0);
        Rotation rotation = new Rotation(call, call.node().integer("interleaved", 0) == 1, width);
        Attending attending = new Attending(call);
        Value heads = x;
        if (x.rank() == 3) {
            long size =
                    width == 0 && cosines.dim(1).isKnown() ? 2 * cosines.dim(1).known() : 0;
            long number = call.node().integer("num_heads", 0);
            if (number == 0 && (size == 0 || !x.dim(2).isKnown())) {
                throw call.invalid("does not tell its number of heads");
            }
            heads = attending.heads(x, number == 0 ? x.dim(2).known() / size : number);
        }
        Value positions = call.in(1);
        Value places = positions.rank() == 2
                ? positions
                : call.emit(
                        "Add",
                        call.emit("Cast", Map.of("to", 7), positions),
                        rotation.consecutive(heads.dim(2), Dim.ZERO));
        Value turned = rotation.ofHeads(heads, places, cosines, call.in(3));
        return List.of(x.rank() == 3 ? attending.joined(turned) : turned);
    }

    /** The positions from {@code first} on, [S]. */
    Value consecutive(Dim count, Dim first) {
        Value numbers = Value.computed(Creation.numbers(call, count), DataType.LONG, List.of(count));
        return first.is(0) ? numbers : call.emit("Add", numbers, Gathering.number(call, first));
    }

    /**
     * Turns heads.
     *
     * @param x [B,N,S,H]
     * @param positions [S] or [B,S]
     * @param cosines [positions, half the width that is turned]
     * @param sines the same
     */
    Value ofHeads(Value x, Value positions, Value cosines, Value sines) {
        return turned(x, perPosition(cosines, positions), perPosition(sines, positions));
    }

    /** Turns heads by the angles of their positions, [1 or B,1,S,half]. */
    private Value turned(Value x, Value cosine, Value sine) {
        long turned = width == 0 ? 2 * cosine.dim(3).known() : width;
        Dim all = x.dim(3);
        Value part = all.is(turned) ? x : cut(x, Dim.ZERO, Dim.of(turned));
        Value result = interleaved ? neighbours(part, cosine, sine, turned) : halves(part, cosine, sine, turned);
        return all.is(turned) ? result : call.emit("Concat", Map.of("axis", 3), result, cut(x, Dim.of(turned), all));
    }

    private Value cut(Value x, Dim from, Dim to) {
        return Slicing.slice(call, x, List.of(new Slicing.Cut(x.rank() - 1, from, to, 1)));
    }

    /** Rows of a table by position, as [1,1,S,half] or [B,1,S,half]. */
    private Value perPosition(Value table, Value positions) {
        Value rows = call.emit("Gather", table, positions);
        return call.emit("Unsqueeze", rows, positions.rank() == 1 ? call.vector(0, 1) : call.vector(1));
    }

    private Value turnedFirst(Value first, Value second, Value cosine, Value sine) {
        return call.emit("Sub", call.emit("Mul", first, cosine), call.emit("Mul", second, sine));
    }

    private Value turnedSecond(Value first, Value second, Value cosine, Value sine) {
        return call.emit("Add", call.emit("Mul", first, sine), call.emit("Mul", second, cosine));
    }

    private Value halves(Value x, Value cosine, Value sine, long turned) {
        Value first = cut(x, Dim.ZERO, Dim.of(turned / 2));
        Value second = cut(x, Dim.of(turned / 2), Dim.of(turned));
        return call.emit(
                "Concat",
                Map.of("axis", 3),
                turnedFirst(first, second, cosine, sine),
                turnedSecond(first, second, cosine, sine));
    }

    private Value neighbours(Value x, Value cosine, Value sine, long turned) {
        List<Dim> pairs = new ArrayList<>(x.dims().subList(0, 3));
        pairs.add(Dim.of(turned / 2));
        pairs.add(Dim.of(2));
        Value apart = call.builder().reshape(x, pairs);
        Value first = call.emit("Gather", Map.of("axis", 4), apart, Gathering.number(call, Dim.ZERO));
        Value second = call.emit("Gather", Map.of("axis", 4), apart, Gathering.number(call, Dim.ONE));
        Value joined = call.emit(
                "Concat",
                Map.of("axis", 4),
                call.emit("Unsqueeze", turnedFirst(first, second, cosine, sine), call.vector(4)),
                call.emit("Unsqueeze", turnedSecond(first, second, cosine, sine), call.vector(4)));
        return call.builder().reshape(joined, x.dims());
    }
}
