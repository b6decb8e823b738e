package dev.samediff.importer.tensorflow;

import java.util.Map;
import java.util.stream.LongStream;

/** Tensors made from sizes, repeated, padded or masked. */
final class Filling {
    private Filling() {}

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("Fill", call -> call.result("Expand", call.in(1), call.int64(0)));
        operators.put("BroadcastTo", call -> call.result("Expand", call.in(0), call.int64(1)));
        operators.put("ZerosLike", call -> like(call, 0));
        operators.put("OnesLike", call -> like(call, 1));
        operators.put("Tile", call -> call.result("Tile", call.in(0), call.int64(1)));
        operators.put("Range", call -> call.result("Range", call.in(0), call.in(1), call.in(2)));
        operators.put("MatrixBandPart", Filling::band);
        operators.put("Pad", call -> pad(call, "constant"));
        operators.put("PadV2", call -> pad(call, "constant"));
        operators.put("MirrorPad", call -> {
            if (!call.node().text("mode", "REFLECT").equals("REFLECT")) {
                throw call.refused(
                        "pads in mode SYMMETRIC; REFLECT and constants can be imported", "pad in one of these modes");
            }
            pad(call, "reflect");
        });
    }

    private static void like(TensorFlowCall call, double number) {
        call.result("Expand", call.number(number), call.emit("Shape", call.in(0)));
    }

    /** Keeps so many diagonals below and above the main one; a negative number keeps all. */
    private static void band(TensorFlowCall call) {
        long lower = call.numbers(1, "lower diagonals")[0];
        long upper = call.numbers(2, "upper diagonals")[0];
        String value = call.in(0);
        if (upper >= 0) {
            value = call.emit("Trilu", Map.of("upper", 0), value, call.whole(upper));
        }
        if (lower >= 0) {
            value = call.emit("Trilu", Map.of("upper", 1), value, call.whole(-lower));
        }
        call.bind(0, value);
    }

    /** Pairs (before, behind) per axis become all befores, then all behinds. */
    private static void pad(TensorFlowCall call, String mode) {
        long[] pairs = call.numbers(1, "padding");
        int rank = pairs.length / 2;
        String pads = call.vector(LongStream.range(0, pairs.length)
                .map(i -> i < rank ? pairs[(int) (2 * i)] : pairs[(int) (2 * (i - rank) + 1)])
                .toArray());
        if (call.count() > 2) {
            call.result("Pad", Map.of("mode", mode), call.in(0), pads, call.in(2));
        } else {
            call.result("Pad", Map.of("mode", mode), call.in(0), pads);
        }
    }
}
