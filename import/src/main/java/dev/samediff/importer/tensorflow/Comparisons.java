package dev.samediff.importer.tensorflow;

import java.util.Map;
import org.tensorflow.framework.DataType;

/** Comparisons, logic, choices and casts. */
final class Comparisons {
    private Comparisons() {}

    static void register(Map<String, TensorFlowOp> operators) {
        plain(operators, "Equal", "Equal");
        plain(operators, "Less", "Less");
        plain(operators, "LessEqual", "LessOrEqual");
        plain(operators, "Greater", "Greater");
        plain(operators, "GreaterEqual", "GreaterOrEqual");
        plain(operators, "LogicalAnd", "And");
        plain(operators, "LogicalOr", "Or");
        operators.put("NotEqual", call -> call.result("Not", call.emit("Equal", call.in(0), call.in(1))));
        operators.put("LogicalNot", call -> call.result("Not", call.in(0)));
        operators.put("SelectV2", call -> call.result("Where", call.in(0), call.in(1), call.in(2)));
        operators.put("Select", Comparisons::select);
        operators.put("Cast", Comparisons::cast);
    }

    private static void plain(Map<String, TensorFlowOp> operators, String name, String onnx) {
        operators.put(name, call -> call.result(onnx, call.in(0), call.in(1)));
    }

    private static void cast(TensorFlowCall call) {
        DataType from = call.node().type("SrcT", DataType.DT_FLOAT);
        DataType to = call.node().type("DstT", DataType.DT_FLOAT);
        if (from == to) {
            call.bind(0, call.in(0));
        } else {
            call.result(
                    "Cast", Map.of("to", TensorFlowTypes.onnx(to, call.node().toString())), call.in(0));
        }
    }

    /** A condition with fewer axes than the tensors chooses along their first axes; ONNX would align the last. */
    private static void select(TensorFlowCall call) {
        String condition = Shaping.withTrailingOnes(call, call.in(0), call.in(1));
        call.result("Where", condition, call.in(1), call.in(2));
    }
}
