package dev.samediff.importer.tensorflow;

import java.util.Map;
import java.util.Optional;

/** Matrix products. */
final class Products {
    private Products() {}

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("MatMul", call -> {
            String left = turned(call, 0, call.node().truth("transpose_a", false));
            call.result("MatMul", left, turned(call, 1, call.node().truth("transpose_b", false)));
        });
        for (String batch : new String[] {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"}) {
            operators.put(batch, Products::batched);
        }
        operators.put("Einsum", call -> {
            String[] inputs = new String[call.count()];
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = call.in(i);
            }
            call.result("Einsum", Map.of("equation", call.node().text("equation", "")), inputs);
        });
    }

    private static String turned(TensorFlowCall call, int index, boolean transpose) {
        return transpose ? call.emit("Transpose", Map.of("perm", new long[] {1, 0}), call.in(index)) : call.in(index);
    }

    /** Stored matrices are turned by a Transpose, which the importer looks through; others by the product itself. */
    private static void batched(TensorFlowCall call) {
        boolean left = call.node().truth("adj_x", false);
        boolean right = call.node().truth("adj_y", false);
        Optional<StoredTensor> matrix = call.stored(1).filter(tensor -> tensor.shape().length == 2);
        if (!left && (!right || matrix.isPresent())) {
            call.result("MatMul", call.in(0), turned(call, 1, right));
            return;
        }
        call.result(
                "com.microsoft:FusedMatMul",
                Map.of("transA", left ? 1 : 0, "transB", right ? 1 : 0),
                call.in(0),
                call.in(1));
    }
}
