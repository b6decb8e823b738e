package dev.samediff.importer.tensorflow;

import java.util.Map;
import java.util.Set;

/** Operators that hand on what they read; they leave no trace in the ONNX graph. */
final class Passing {
    private static final Set<String> FIRST = Set.of(
            "Identity",
            "StopGradient",
            "PreventGradient",
            "Snapshot",
            "ReadVariableOp",
            "CheckNumerics",
            "EnsureShape",
            "PlaceholderWithDefault",
            "CheckNumericsV2");

    private Passing() {}

    static void register(Map<String, TensorFlowOp> operators) {
        for (String operator : FIRST) {
            operators.put(operator, call -> pass(call, 0));
        }
        operators.put("IdentityN", call -> {
            for (int i = 0; i < call.count(); i++) {
                pass(call, i);
            }
        });
    }

    /** Stored tensors are left to who reads them: a convolution wants its filter in another form. */
    private static void pass(TensorFlowCall call, int index) {
        if (index > 0 || !call.translation().isStored(call.tensor(index))) {
            call.bind(index, call.in(index));
        }
    }

    /** Tells whether an operator's only output is its first input. */
    static boolean isPassing(String operator) {
        return FIRST.contains(operator);
    }
}
