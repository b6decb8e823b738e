package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** What all forms of attention are made of: heads, masks that are added to scores, the weighted sum. */
final class Attending {
    /** What a key that must not be seen gets added to its score. */
    private static final double HIDDEN = -3e38;

    private final NodeCall call;

    Attending(NodeCall call) {
        this.call = call;
    }

    /** {@code [B,S,N*H] -> [B,N,S,H]}. */
    Value heads(Value x, long number) {
        if (x.rank() == 4) {
            return x;
        }
        Dim width = x.dim(2)
                .dividedBy(Dim.of(number))
                .orElseThrow(() -> call.refused(
                        "cuts " + x.dim(2) + " features into " + number + " heads",
                        "export with the width fixed, and a number of heads that divides it"));
        Value apart = call.builder().reshape(x, List.of(x.dim(0), x.dim(1), Dim.of(number), width));
        return Shapes.permuted(call, apart, 0, 2, 1, 3);
    }

    /** {@code [B,N,S,H] -> [B,S,N*H]}. */
    Value joined(Value x) {
        Value turned = Shapes.permuted(call, x, 0, 2, 1, 3);
        return call.builder()
                .reshape(turned, List.of(x.dim(0), x.dim(2), x.dim(1).times(x.dim(3))));
    }

    /** Every head {@code times} times in a row: grouped queries share keys and values. */
    Value repeated(Value x, long times) {
        if (times == 1) {
            return x;
        }
        List<Dim> apart = new ArrayList<>(x.dims());
        apart.add(2, Dim.ONE);
        List<Dim> target = new ArrayList<>(apart);
        target.set(2, Dim.of(times));
        Value wide = Expanding.expand(call, call.builder().reshape(x, apart), target);
        return call.builder().reshape(wide, List.of(x.dim(0), x.dim(1).times(Dim.of(times)), x.dim(2), x.dim(3)));
    }

    /** The past, if there is one, and what is new, along the axis of tokens. */
    Value continued(@Nullable Value past, Value now) {
        return past == null ? now : call.emit("Concat", Map.of("axis", 2), past, now);
    }

    /**
     * {@code softmax(cap(scale q k') + masks) v}.
     *
     * @param query [B,N,S,H]
     * @param keys [B,N,T,H]
     * @param values [B,N,T,G]
     * @param masks added to the scores [B,N,S,T], broadcast
     * @return [B,N,S,G]
     */
    Value sum(Value query, Value keys, Value values, double scale, List<Value> masks) {
        return call.emit("MatMul", weights(capped(scores(query, keys, scale)), masks), values);
    }

    /** {@code scale q k'}, [B,N,S,T]. */
    Value scores(Value query, Value keys, double scale) {
        Value scaled = call.emit("Mul", query, call.real(query.type(), scale));
        return call.emit("MatMul", scaled, Shapes.permuted(call, keys, 0, 1, 3, 2));
    }

    /** {@code cap tanh(x / cap)} with the attribute softcap, if it is there. */
    Value capped(Value scores) {
        double cap = call.node().real("softcap", 0);
        if (cap == 0) {
            return scores;
        }
        Value small = call.emit("Mul", scores, call.real(scores.type(), 1 / cap));
        return call.emit("Mul", call.emit("Tanh", small), call.real(scores.type(), cap));
    }

    /** {@code softmax(scores + masks)}, [B,N,S,T]. */
    Value weights(Value scores, List<Value> masks) {
        Value masked = scores;
        for (Value mask : masks) {
            masked = call.emit("Add", masked, mask);
        }
        return call.emit("Softmax", Map.of("axis", -1), masked);
    }

    /** The given scale, or one over the root of the heads' width. */
    double scale(Value query) {
        double given = call.node().real("scale", 0);
        Dim width = query.dim(3);
        if (given == 0 && !width.isKnown()) {
            throw call.refused(
                    "has heads of a width that is not known before the graph runs and no scale",
                    "export with the width fixed, or with a scale");
        }
        return given != 0 ? given : 1 / Math.sqrt((double) width.known());
    }

    private Value numbers(Dim count) {
        return Value.computed(Creation.numbers(call, count), DataType.LONG, List.of(count));
    }

    /** Queries do not see keys behind them; the last query is the last key. [S,T] */
    Value causal(Value query, Value keys) {
        return causal(query, keys, keys.dim(2).minus(query.dim(2)));
    }

    /** Queries do not see keys behind them; before the first query there are {@code before} keys. [S,T] */
    Value causal(Value query, Value keys, Dim before) {
        Value rows = call.emit("Unsqueeze", numbers(query.dim(2)), call.vector(1));
        Value shift = Gathering.number(call, before);
        Value last = call.emit("Add", rows, shift);
        return hiding(call.emit("Greater", numbers(keys.dim(2)), last), query.type(), HIDDEN);
    }

    /**
     * Queries see the {@code window} keys before their own, and their own, as ONNX Runtime 1.22 computes it on the CPU:
     * one key more than a window of that size has elsewhere. [S,T]
     */
    Value window(Value query, Value keys, long window) {
        Dim queries = query.dim(2);
        Value rows = call.emit("Unsqueeze", numbers(queries), call.vector(1));
        Value first = call.emit(
                "Add", rows, Gathering.number(call, keys.dim(2).minus(queries).minus(Dim.of(window))));
        Value hidden = call.emit("Less", numbers(keys.dim(2)), first);
        return hiding(hidden, query.type(), HIDDEN);
    }

    /**
     * The mask of keys as ONNX Runtime takes it: lengths [B], keys [B,T], or keys by query [B,S,T]; zero hides.
     *
     * @param filter what a hidden key's score gets added
     */
    Value ofKeys(Value mask, Value keys, DataType type, double filter) {
        Value wide = call.emit("Cast", Map.of("to", 7), mask);
        Value hidden = switch (mask.rank()) {
            case 1 -> {
                Value lengths = call.builder().reshape(wide, List.of(mask.dim(0), Dim.ONE, Dim.ONE, Dim.ONE));
                yield call.emit("GreaterOrEqual", numbers(keys.dim(2)), lengths);
            }
            case 2 -> call.emit("Equal", inserted(wide, 1, 2), Gathering.number(call, Dim.ZERO));
            case 3 -> call.emit("Equal", inserted(wide, 1), Gathering.number(call, Dim.ZERO));
            default ->
                throw call.refused(
                        "has a mask of rank " + mask.rank()
                                + "; lengths [B], keys [B,T] and keys by query [B,S,T] can be imported",
                        "give one of these, or export the model without fusing attention (optimization level 1)");
        };
        return hiding(hidden, type, filter);
    }

    private Value inserted(Value x, long... axes) {
        return call.emit("Unsqueeze", x, call.vector(axes));
    }

    /** {@code filter} where hidden, else zero. */
    Value hiding(Value hidden, DataType type, double filter) {
        Value factor = call.emit("Cast", Map.of("to", OnnxTypes.number(type)), hidden);
        return call.emit("Mul", factor, call.real(type, filter));
    }

    /** Cuts the last axis into parts of these sizes. */
    List<Value> parts(Value x, long... sizes) {
        List<Value> parts = new ArrayList<>();
        long start = 0;
        for (long size : sizes) {
            parts.add(Slicing.slice(
                    call, x, List.of(new Slicing.Cut(x.rank() - 1, Dim.of(start), Dim.of(start + size), 1))));
            start += size;
        }
        return parts;
    }

    /** One of the values side by side along an axis, without the axis. */
    Value picked(Value x, int axis, long index) {
        return call.emit("Gather", Map.of("axis", axis), x, Gathering.number(call, Dim.of(index)));
    }

    /** Values side by side along a new first axis. */
    Value stacked(Value... values) {
        Value[] wide = IntStream.range(0, values.length)
                .mapToObj(i -> inserted(values[i], 0))
                .toArray(Value[]::new);
        return call.emit("Concat", Map.of("axis", 0), wide);
    }
}
