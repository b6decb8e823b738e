package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * ONNX Runtime's fused attention (com.microsoft: Attention, MultiHeadAttention, GroupQueryAttention), after its
 * documentation of contrib operators.
 */
final class FusedAttention {
    private static final double MASK_FILTER = -10000;

    private final NodeCall call;
    private final Attending attending;

    private FusedAttention(NodeCall call) {
        this.call = call;
        this.attending = new Attending(call);
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put("com.microsoft:Attention", call -> new FusedAttention(call).packed());
        operators.put("com.microsoft:MultiHeadAttention", call -> new FusedAttention(call).separate());
        operators.put("com.microsoft:GroupQueryAttention", call -> new FusedAttention(call).grouped());
    }

    private long number(String attribute) {
        long number = call.node().integer(attribute, 0);
        if (number < 1) {
            throw call.invalid("has no " + attribute);
        }
        return number;
    }

    private double filter() {
        return call.node().real("mask_filter_value", (float) MASK_FILTER);
    }

    private void refuse(String attribute) {
        if (call.node().integer(attribute, 0) != 0) {
            throw call.refused(
                    "has " + attribute + " = " + call.node().integer(attribute, 0),
                    "export the model without fusing attention (optimization level 1)");
        }
    }

    private void refuseInput(int index, String what) {
        if (call.optional(index).isPresent()) {
            throw call.refused("has " + what, "export the model without fusing attention (optimization level 1)");
        }
    }

    /** Query, keys and values by one matrix [in,3h] with one bias. */
    private List<Value> packed() {
        refuse("do_rotary");
        refuse("past_present_share_buffer");
        Value x = call.in(0);
        Value product = call.emit("MatMul", x, call.in(1));
        Value sum =
                call.optional(2).map(bias -> call.emit("Add", product, bias)).orElse(product);
        long[] sizes = call.node().integers("qkv_hidden_sizes");
        if (sizes == null) {
            Dim width = sum.dim(2)
                    .dividedBy(Dim.of(3))
                    .orElseThrow(() -> call.refused(
                            "has no three equal parts",
                            "export the model without fusing attention (optimization level 1)"));
            sizes = LongStream.generate(width::known).limit(3).toArray();
        }
        List<Value> parts = attending.parts(sum, sizes);
        long heads = number("num_heads");
        Value query = attending.heads(parts.get(0), heads);
        Value past = call.optional(4).orElse(null);
        Value keys = attending.continued(
                past == null ? null : attending.picked(past, 0, 0), attending.heads(parts.get(1), heads));
        Value values = attending.continued(
                past == null ? null : attending.picked(past, 0, 1), attending.heads(parts.get(2), heads));
        List<Value> masks = masks(query, keys, call.optional(3), call.optional(5));
        Value result = attending.joined(attending.sum(query, keys, values, attending.scale(query), masks));
        return call.node().outputs().size() < 2 ? List.of(result) : List.of(result, attending.stacked(keys, values));
    }

    private List<Value> masks(Value query, Value keys, Optional<Value> mask, Optional<Value> bias) {
        List<Value> masks = new ArrayList<>();
        if (call.node().integer("unidirectional", 0) == 1) {
            masks.add(attending.causal(query, keys));
        }
        mask.ifPresent(given -> masks.add(attending.ofKeys(given, keys, query.type(), filter())));
        bias.ifPresent(masks::add);
        return masks;
    }

    /** Query, keys and values given, joined [B,S,h], packed [B,S,N,3,H] and [B,T,N,2,H], or with heads [B,N,T,H]. */
    private List<Value> separate() {
        refuseInput(8, "the length of a past in a shared buffer");
        long heads = number("num_heads");
        Value first = call.in(0);
        Value second = call.optional(1).orElse(null);
        Value query;
        Value keys;
        Value values;
        if (first.rank() == 5) {
            query = headsOf(first, 0);
            keys = headsOf(first, 1);
            values = headsOf(first, 2);
        } else if (second != null && second.rank() == 5) {
            query = attending.heads(first, heads);
            keys = headsOf(second, 0);
            values = headsOf(second, 1);
        } else {
            query = attending.heads(first, heads);
            keys = attending.heads(call.in(1), heads);
            values = attending.heads(call.in(2), heads);
        }
        if (call.optional(3).isPresent()) {
            Value bias = call.in(3);
            long width = width(query) * heads;
            List<Value> parts = attending.parts(bias, width, width, width(values) * heads);
            query = call.emit("Add", query, ofHeads(parts.get(0), heads));
            keys = call.emit("Add", keys, ofHeads(parts.get(1), heads));
            values = call.emit("Add", values, ofHeads(parts.get(2), heads));
        }
        keys = attending.continued(call.optional(6).orElse(null), keys);
        values = attending.continued(call.optional(7).orElse(null), values);
        List<Value> masks = masks(query, keys, call.optional(4), call.optional(5));
        Value result = attending.joined(attending.sum(query, keys, values, attending.scale(query), masks));
        return call.node().outputs().size() < 2 ? List.of(result) : List.of(result, keys, values);
    }

    private long width(Value x) {
        if (!x.dim(3).isKnown()) {
            throw call.refused(
                    "adds a bias to heads of a width that is not known before the graph runs",
                    "export with the width of the heads fixed");
        }
        return x.dim(3).known();
    }

    /** A bias over joined heads, as [N,1,H]. */
    private Value ofHeads(Value bias, long heads) {
        Dim width = bias.dim(0).dividedBy(Dim.of(heads)).orElseThrow();
        return call.builder().reshape(bias, List.of(Dim.of(heads), Dim.ONE, width));
    }

    /** One of the tensors in [B,S,N,count,H], as [B,N,S,H]. */
    private Value headsOf(Value packed, long index) {
        return Shapes.permuted(call, attending.picked(packed, 3, index), 0, 2, 1, 3);
    }

    /**
     * Decoders with fewer heads of keys than of queries. The past has the same length for every row of the batch and is
     * not padded; {@code seqlens_k} hides the end of rows that are shorter.
     */
    private List<Value> grouped() {
        refuse("smooth_softmax");
        long heads = number("num_heads");
        long shared = number("kv_num_heads");
        Value first = call.in(0);
        Value second = call.optional(1).orElse(null);
        Value queryRows = first;
        Value keyRows = second;
        Value valueRows = call.optional(2).orElse(null);
        if (second == null) {
            long width = first.dim(2).known() / (heads + 2 * shared);
            List<Value> parts = attending.parts(first, heads * width, shared * width, shared * width);
            queryRows = parts.get(0);
            keyRows = parts.get(1);
            valueRows = parts.get(2);
        }
        if (keyRows == null || valueRows == null) {
            throw call.invalid("has keys without values");
        }
        Value query = attending.heads(queryRows, heads);
        Value keys = attending.heads(keyRows, shared);
        Value past = call.optional(3).orElse(null);
        Dim before = past == null ? Dim.ZERO : past.dim(2);
        if (call.node().integer("do_rotary", 0) == 1) {
            query = rotated(query, before);
            keys = rotated(keys, before);
        }
        Value allKeys = attending.continued(past, keys);
        Value allValues = attending.continued(call.optional(4).orElse(null), attending.heads(valueRows, shared));
        List<Value> masks = new ArrayList<>(List.of(attending.causal(query, allKeys)));
        long window = call.node().integer("local_window_size", -1);
        if (window > 0) {
            masks.add(attending.window(query, allKeys, window));
        }
        Value lengths =
                call.emit("Add", call.emit("Cast", Map.of("to", 7), call.in(5)), Gathering.number(call, Dim.ONE));
        masks.add(attending.ofKeys(lengths, allKeys, query.type(), -3e38));
        double scale = attending.scale(query);
        long times = heads / shared;
        Value sum = attending.sum(
                query, attending.repeated(allKeys, times), attending.repeated(allValues, times), scale, masks);
        Value result = attending.joined(sum);
        return call.node().outputs().size() < 2 ? List.of(result) : List.of(result, allKeys, allValues);
    }

    /** Heads turned by their positions, which begin behind the past. */
    private Value rotated(Value heads, Dim before) {
        Rotation rotation = new Rotation(call, call.node().integer("rotary_interleaved", 0) == 1, 0);
        return rotation.ofHeads(heads, rotation.consecutive(heads.dim(2), before), call.in(7), call.in(8));
    }
}
