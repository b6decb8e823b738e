package dev.samediff.importer.tensorflow;

import java.util.Map;

/** Functions of one tensor, element by element or along the last axis. */
final class Functions {
    private Functions() {}

    static void register(Map<String, TensorFlowOp> operators) {
        for (String same : new String[] {
            "Sqrt",
            "Exp",
            "Log",
            "Neg",
            "Abs",
            "Sign",
            "Reciprocal",
            "Erf",
            "Tanh",
            "Sigmoid",
            "Relu",
            "Softplus",
            "Softsign",
            "Selu",
            "Floor",
            "Ceil",
            "Round",
            "Sin",
            "Cos",
            "Tan"
        }) {
            operators.put(same, call -> call.result(same, call.in(0)));
        }
        operators.put("Rint", call -> call.result("Round", call.in(0)));
        operators.put("Inv", call -> call.result("Reciprocal", call.in(0)));
        operators.put("IsNan", call -> call.result("IsNaN", call.in(0)));
        operators.put("Square", call -> call.result("Mul", call.in(0), call.in(0)));
        operators.put("Rsqrt", call -> call.result("Reciprocal", call.emit("Sqrt", call.in(0))));
        operators.put("Log1p", call -> call.result("Log", call.emit("Add", call.in(0), call.number(1))));
        operators.put("Expm1", call -> call.result("Sub", call.emit("Exp", call.in(0)), call.number(1)));
        operators.put("Erfc", call -> call.result("Sub", call.number(1), call.emit("Erf", call.in(0))));
        operators.put("Relu6", call -> call.result("Clip", call.in(0), call.number(0), call.number(6)));
        operators.put("Elu", call -> call.result("Elu", call.in(0)));
        operators.put(
                "LeakyRelu",
                call -> call.result("LeakyRelu", Map.of("alpha", call.node().real("alpha", 0.2f)), call.in(0)));
        operators.put("Softmax", call -> call.result("Softmax", Map.of("axis", -1), call.in(0)));
        operators.put("LogSoftmax", call -> call.result("LogSoftmax", Map.of("axis", -1), call.in(0)));
    }
}
