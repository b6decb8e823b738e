package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * ONNX's own Attention (operator set 23): {@code softmax(cap(scale q k') + mask) v}, with fewer heads of keys than of queries,
 * a past, and a mask of truth values or of numbers. A causal query sees the whole past and no key behind its own.
 */
final class ScaledAttention {
    private static final double HIDDEN = -3e38;

    private final NodeCall call;
    private final Attending attending;

    private ScaledAttention(NodeCall call) {
        this.call = call;
        this.attending = new Attending(call);
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put("Attention", call -> new ScaledAttention(call).lower());
    }

    private List<Value> lower() {
        boolean joined = call.in(0).rank() == 3;
        Value query = heads(0, "q_num_heads");
        Value keys = attending.continued(call.optional(4).orElse(null), heads(1, "kv_num_heads"));
        Value values = attending.continued(call.optional(5).orElse(null), heads(2, "kv_num_heads"));
        long times = times(query, keys);
        Value scores = attending.scores(query, attending.repeated(keys, times), attending.scale(query));
        Value weights = attending.weights(attending.capped(scores), masks(query, keys));
        Value sum = call.emit("MatMul", weights, attending.repeated(values, times));
        List<Value> results = new ArrayList<>(List.of(joined ? attending.joined(sum) : sum, keys, values));
        if (call.node().outputs().size() > 3) {
            results.add(shown(scores, weights));
        }
        return results;
    }

    private Value heads(int input, String attribute) {
        Value x = call.in(input);
        long number = call.node().integer(attribute, 0);
        if (x.rank() == 3 && number < 1) {
            throw call.invalid("has no " + attribute);
        }
        return attending.heads(x, number);
    }

    private long times(Value query, Value keys) {
        if (!query.dim(1).isKnown() || !keys.dim(1).isKnown()) {
            if (query.dim(1).equals(keys.dim(1))) {
                return 1;
            }
            throw call.refused(
                    "has a number of heads that is not known before the graph runs",
                    "export with the number of heads fixed");
        }
        long shared = Math.max(1, keys.dim(1).known());
        if (query.dim(1).known() % shared != 0) {
            throw call.invalid("has " + query.dim(1) + " heads of queries for " + shared + " of keys");
        }
        return query.dim(1).known() / shared;
    }

    private List<Value> masks(Value query, Value keys) {
        List<Value> masks = new ArrayList<>();
        if (call.node().integer("is_causal", 0) == 1) {
            Value past = call.optional(4).orElse(null);
            masks.add(attending.causal(query, keys, past == null ? Dim.ZERO : past.dim(2)));
        }
        if (call.optional(3).isPresent()) {
            Value mask = call.in(3);
            boolean shorter = mask.rank() > 0
                    && !mask.dim(mask.rank() - 1).is(1)
                    && mask.dim(mask.rank() - 1).isKnown()
                    && keys.dim(2).isKnown()
                    && !mask.dim(mask.rank() - 1).equals(keys.dim(2));
            if (shorter) {
                throw call.refused(
                        "has a mask for " + mask.dim(mask.rank() - 1) + " of " + keys.dim(2)
                                + " keys; only masks for all keys can be imported",
                        "give a mask for all keys, with those it lacks hidden");
            }
            masks.add(
                    mask.type() == DataType.BOOL
                            ? attending.hiding(call.emit("Not", mask), query.type(), HIDDEN)
                            : call.emit("CastLike", mask, query));
        }
        return masks;
    }

    /** The scores as output, as far as all versions of the operator mean the same. */
    private Value shown(Value scores, Value weights) {
        long mode = call.node().integer("qk_matmul_output_mode", 0);
        if (mode != 0 && mode != 3) {
            throw call.refused(
                    "hands out its scores in mode " + mode
                            + "; only before capping (0) and after Softmax (3) can be imported",
                    "ask for one of these");
        }
        return mode == 0 ? scores : weights;
    }
}
