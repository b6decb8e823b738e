package dev.samediff.importer.tensorflow;

import java.util.Map;
import org.tensorflow.framework.DataType;

/** Reductions along axes, cumulative sums, and the places of the largest elements. */
final class Reducing {
    private Reducing() {}

    static void register(Map<String, TensorFlowOp> operators) {
        for (String same : new String[] {"Mean", "Sum", "Max", "Min", "Prod"}) {
            operators.put(same, call -> call.result("Reduce" + same, attributes(call), call.in(0), axes(call)));
        }
        operators.put("All", call -> truths(call, "ReduceMin"));
        operators.put("Any", call -> truths(call, "ReduceMax"));
        operators.put("ArgMax", call -> place(call, "ArgMax"));
        operators.put("ArgMin", call -> place(call, "ArgMin"));
        operators.put("Cumsum", Reducing::cumulative);
        operators.put("TopKV2", Reducing::largest);
    }

    /** No axes at all means no reduction to TensorFlow. */
    private static Map<String, Integer> attributes(TensorFlowCall call) {
        boolean keep = call.node().truth("keep_dims", false);
        return Map.of("keepdims", keep ? 1 : 0, "noop_with_empty_axes", 1);
    }

    private static String axes(TensorFlowCall call) {
        return call.int64Vector(1);
    }

    private static void truths(TensorFlowCall call, String operator) {
        String numbers = call.cast(call.in(0), DataType.DT_INT32);
        String reduced = call.emit(operator, attributes(call), numbers, axes(call));
        call.result("Cast", Map.of("to", TensorFlowTypes.onnx(DataType.DT_BOOL, "")), reduced);
    }

    private static void place(TensorFlowCall call, String operator) {
        long axis = call.numbers(1, "axis")[0];
        DataType type = call.node().type("output_type", DataType.DT_INT64);
        Map<String, Long> attributes = Map.of("axis", axis, "keepdims", 0L);
        if (type == DataType.DT_INT64) {
            call.result(operator, attributes, call.in(0));
        } else {
            int to = TensorFlowTypes.onnx(type, call.node().toString());
            call.result("Cast", Map.of("to", to), call.emit(operator, attributes, call.in(0)));
        }
    }

    private static void cumulative(TensorFlowCall call) {
        Map<String, Integer> attributes = Map.of(
                "exclusive", call.node().truth("exclusive", false) ? 1 : 0,
                "reverse", call.node().truth("reverse", false) ? 1 : 0);
        call.result("CumSum", attributes, call.in(0), call.whole(call.numbers(1, "axis")[0]));
    }

    private static void largest(TensorFlowCall call) {
        call.results(2, "TopK", Map.of("axis", -1), call.in(0), call.int64Vector(1));
        DataType type = call.node().type("index_type", DataType.DT_INT32);
        if (type != DataType.DT_INT64) {
            call.bind(1, call.cast(call.translation().value(call.node().output(1)), type));
        }
    }
}
