package dev.samediff.importer.tensorflow;

import java.util.Map;

/** Arithmetic of two tensors or of several. */
final class Arithmetic {
    private Arithmetic() {}

    static void register(Map<String, TensorFlowOp> operators) {
        plain(operators, "Add", "Add");
        plain(operators, "AddV2", "Add");
        plain(operators, "Sub", "Sub");
        plain(operators, "Mul", "Mul");
        plain(operators, "RealDiv", "Div");
        plain(operators, "Maximum", "Max");
        plain(operators, "Minimum", "Min");
        plain(operators, "Pow", "Pow");
        // whole numbers are divided as C++ does it, rounded towards zero, which is ONNX's division too
        plain(operators, "Div", "Div");
        operators.put("TruncateDiv", Arithmetic::truncatedDivision);
        operators.put("TruncateMod", Arithmetic::truncatedRemainder);
        operators.put("Mod", Arithmetic::truncatedRemainder);
        operators.put("FloorDiv", Arithmetic::floorDivision);
        operators.put("FloorMod", Arithmetic::remainder);
        operators.put("SquaredDifference", call -> {
            String difference = call.emit("Sub", call.in(0), call.in(1));
            call.result("Mul", difference, difference);
        });
        operators.put("DivNoNan", call -> {
            String zero = call.number(0);
            String empty = call.emit("Equal", call.in(1), zero);
            String divisor = call.emit("Where", empty, call.number(1), call.in(1));
            call.result("Where", empty, zero, call.emit("Div", call.in(0), divisor));
        });
        operators.put("AddN", call -> {
            String[] inputs = new String[call.count()];
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = call.in(i);
            }
            call.result("Sum", inputs);
        });
        operators.put("BiasAdd", Arithmetic::biasAdd);
        operators.put("ClipByValue", call -> call.result("Max", call.emit("Min", call.in(0), call.in(2)), call.in(1)));
    }

    private static void plain(Map<String, TensorFlowOp> operators, String name, String onnx) {
        operators.put(name, call -> call.result(onnx, call.in(0), call.in(1)));
    }

    /** Rounded down; ONNX rounds whole numbers towards zero, which is one more where a remainder has the other sign. */
    private static void floorDivision(TensorFlowCall call) {
        String quotient = call.emit("Div", call.in(0), call.in(1));
        if (TensorFlowTypes.isFloating(call.type())) {
            call.result("Floor", quotient);
            return;
        }
        String zero = call.number(0);
        String rest = call.emit("Mod", Map.of("fmod", 1), call.in(0), call.in(1));
        String above = isAcross(call, rest, zero);
        call.result("Where", above, call.emit("Sub", quotient, call.number(1)), quotient);
    }

    /** Where a remainder is not zero and has another sign than the divisor. */
    private static String isAcross(TensorFlowCall call, String rest, String zero) {
        String across = call.emit("Xor", call.emit("Less", rest, zero), call.emit("Less", call.in(1), zero));
        return call.emit("And", across, call.emit("Not", call.emit("Equal", rest, zero)));
    }

    private static void truncatedDivision(TensorFlowCall call) {
        String quotient = call.emit("Div", call.in(0), call.in(1));
        if (TensorFlowTypes.isFloating(call.type())) {
            call.result("Mul", call.emit("Sign", quotient), call.emit("Floor", call.emit("Abs", quotient)));
        } else {
            call.result("Identity", quotient);
        }
    }

    /** With the sign of the divisor: ONNX's Mod of whole numbers; of real ones its other Mod, moved where the signs differ. */
    private static void remainder(TensorFlowCall call) {
        if (!TensorFlowTypes.isFloating(call.type())) {
            call.result("Mod", call.in(0), call.in(1));
            return;
        }
        String zero = call.number(0);
        String rest = call.emit("Mod", Map.of("fmod", 1), call.in(0), call.in(1));
        String moved = isAcross(call, rest, zero);
        call.result("Where", moved, call.emit("Add", rest, call.in(1)), rest);
    }

    /** With the sign of the dividend. */
    private static void truncatedRemainder(TensorFlowCall call) {
        call.result("Mod", Map.of("fmod", 1), call.in(0), call.in(1));
    }

    /** Channels are the last axis, or the second of however many there are. */
    private static void biasAdd(TensorFlowCall call) {
        String bias = call.in(1);
        if (call.node().text("data_format", "NHWC").startsWith("NC")) {
            bias = Shaping.withOnes(call, bias, call.emit("Sub", Shaping.rank(call, call.in(0)), call.whole(2)));
        }
        call.result("Add", call.in(0), bias);
    }
}
