package dev.samediff.importer.tensorflow;

import java.util.Arrays;
import java.util.Map;
import org.tensorflow.framework.DataType;

/** Sizes, and operators that change the shape but not the elements. */
final class Shaping {
    private Shaping() {}

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("Reshape", call -> call.result("Reshape", Map.of("allowzero", 1), call.in(0), call.int64(1)));
        operators.put("ExpandDims", call -> call.result("Unsqueeze", call.in(0), call.int64Vector(1)));
        operators.put("Squeeze", Shaping::squeeze);
        operators.put(
                "Transpose",
                call -> call.result("Transpose", Map.of("perm", call.numbers(1, "order of axes")), call.in(0)));
        operators.put("Shape", call -> sized(call, call.emit("Shape", call.in(0))));
        operators.put("ShapeN", call -> {
            for (int i = 0; i < call.count(); i++) {
                call.bind(i, converted(call, call.emit("Shape", call.in(i))));
            }
        });
        operators.put("Size", call -> sized(call, call.emit("Size", call.in(0))));
        operators.put(
                "Rank",
                call -> call.result(
                        "Cast", Map.of("to", TensorFlowTypes.onnx(DataType.DT_INT32, "")), rank(call, call.in(0))));
        operators.put("InvertPermutation", Shaping::inverted);
    }

    private static void squeeze(TensorFlowCall call) {
        long[] axes = call.node().integers("squeeze_dims");
        if (axes.length == 0) {
            axes = call.node().integers("axis");
        }
        if (axes.length == 0) {
            call.result("Squeeze", call.in(0));
        } else {
            call.result("Squeeze", call.in(0), call.vector(axes));
        }
    }

    private static void sized(TensorFlowCall call, String sizes) {
        call.bind(0, converted(call, sizes));
    }

    private static String converted(TensorFlowCall call, String sizes) {
        DataType type = call.node().type("out_type", DataType.DT_INT32);
        return type == DataType.DT_INT64 ? sizes : call.cast(sizes, type);
    }

    /** The number of axes as INT64. */
    static String rank(TensorFlowCall call, String value) {
        return call.emit("Size", call.emit("Shape", value));
    }

    /** A tensor with axes of size 1 behind its own until it has as many axes as another. */
    static String withTrailingOnes(TensorFlowCall call, String value, String other) {
        String missing = call.emit("Sub", rank(call, other), rank(call, value));
        return withOnes(call, value, missing);
    }

    /** A tensor with that many more axes, of size 1, behind its own. */
    static String withOnes(TensorFlowCall call, String value, String count) {
        String ones = call.emit("Expand", call.whole(1), call.emit("Reshape", count, call.vector(1)));
        String shape = call.emit("Concat", Map.of("axis", 0), call.emit("Shape", value), ones);
        return call.emit("Reshape", Map.of("allowzero", 1), value, shape);
    }

    private static void inverted(TensorFlowCall call) {
        long[] order = call.numbers(0, "order");
        long[] inverse = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            if (order[i] < 0 || order[i] >= order.length) {
                throw call.damaged("inverts " + Arrays.toString(order) + ", which is not an order of axes");
            }
            inverse[(int) order[i]] = i;
        }
        call.bind(0, call.cast(call.vector(inverse), call.node().type("T", DataType.DT_INT32)));
    }
}
