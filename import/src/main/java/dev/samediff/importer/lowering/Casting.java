package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/** Numbers of one type as another. Half precision is FLOAT: nothing is rounded, and weights behind it can be trained. */
final class Casting {
    private Casting() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Cast", call -> {
            int to = (int) call.node().integer("to", 1);
            return List.of(cast(call, call.in(0), OnnxTypes.exact(to, call.node().toString())));
        });
        operators.put(
                "CastLike", call -> List.of(cast(call, call.in(0), call.in(1).type())));
    }

    private static Value cast(NodeCall call, Value x, DataType to) {
        if (to == x.type()) {
            return x;
        }
        GraphBuilder builder = call.builder();
        SDVariable held = builder.cast(x.variable(), x.type(), to);
        boolean mayLeave = OnnxTypes.isNarrow(to) && x.type() != DataType.BOOL;
        return Value.computed(mayLeave ? Wrapping.cut(builder, held, to) : held, to, x.dims());
    }
}
