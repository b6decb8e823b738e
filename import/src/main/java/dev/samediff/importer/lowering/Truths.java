package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Truth values as the numbers 0 and 1, for operators that SameDiff has for numbers only. */
final class Truths {
    private Truths() {}

    /** An operator that hands elements on, for truth values too. */
    static OpLowering asNumbers(OpLowering form) {
        return call -> {
            if (call.in(0).type() != DataType.BOOL) {
                return form.lower(call);
            }
            List<@Nullable Value> inputs = new ArrayList<>(call.inputs());
            inputs.set(0, cast(call, call.in(0), DataType.INT));
            return form.lower(new NodeCall(call.node(), inputs, call.translator())).stream()
                    .map(result -> cast(call, result, DataType.BOOL))
                    .toList();
        };
    }

    private static Value cast(NodeCall call, Value x, DataType type) {
        return call.emit("Cast", Map.of("to", OnnxTypes.number(type)), x);
    }
}
