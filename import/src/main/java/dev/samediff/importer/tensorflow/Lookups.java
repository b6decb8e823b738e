package dev.samediff.importer.tensorflow;

import java.util.Map;
import org.tensorflow.framework.DataType;

/** Looking up elements by index, and rows with a one where the index points. */
final class Lookups {
    private Lookups() {}

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("Gather", call -> gather(call, 0, 0));
        operators.put("ResourceGather", call -> gather(call, 0, call.node().integer("batch_dims", 0)));
        operators.put(
                "GatherV2",
                call -> gather(call, call.numbers(2, "axis")[0], call.node().integer("batch_dims", 0)));
        operators.put(
                "GatherNd", call -> call.result("GatherND", call.in(0), call.cast(call.in(1), DataType.DT_INT64)));
        operators.put("OneHot", Lookups::oneHot);
    }

    /** The indices of a batch are looked up in their own row where that row's axis follows the batch axes. */
    private static void gather(TensorFlowCall call, long axis, long batch) {
        if (batch == 0) {
            call.result("Gather", Map.of("axis", axis), call.in(0), call.in(1));
        } else if (batch == axis) {
            String indices = call.emit("Unsqueeze", call.cast(call.in(1), DataType.DT_INT64), call.vector(-1));
            call.result("GatherND", Map.of("batch_dims", batch), call.in(0), indices);
        } else {
            throw call.refused(
                    "looks up along axis " + axis + " with batch_dims " + batch
                            + "; batch_dims = 0, or batch_dims equal to the axis, can be imported",
                    "look up in one of these ways");
        }
    }

    /** By comparing: unlike ONNX, TensorFlow gives a row of "off" for a negative index. */
    private static void oneHot(TensorFlowCall call) {
        long axis = call.node().integer("axis", -1);
        DataType whole = call.node().type("TI", DataType.DT_INT64);
        String range = call.emit(
                "Range",
                call.cast(call.whole(0), DataType.DT_INT64),
                call.emit("Squeeze", call.int64Vector(1)),
                call.cast(call.whole(1), DataType.DT_INT64));
        String numbers = whole == DataType.DT_INT64 ? range : call.cast(range, whole);
        String indices = call.emit("Unsqueeze", call.in(0), call.vector(axis));
        if (axis >= 0) {
            String rank = call.emit("Size", call.emit("Shape", call.in(0)));
            numbers = Shaping.withOnes(call, numbers, call.emit("Sub", rank, call.whole(axis)));
        }
        call.result("Where", call.emit("Equal", indices, numbers), call.in(2), call.in(3));
    }
}
