package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/** ONNX Runtime's fusions of a product, sum, normalisation or activation with what stands before or behind it. */
final class FusedLayers {
    private FusedLayers() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("com.microsoft:FusedMatMul", call -> List.of(product(call)));
        operators.put("com.microsoft:FusedGemm", FusedLayers::gemm);
        operators.put("com.microsoft:GemmFastGelu", FusedLayers::gemmFastGelu);
        operators.put(
                "com.microsoft:BiasGelu", call -> List.of(call.emit("Gelu", call.emit("Add", call.in(0), call.in(1)))));
        operators.put("com.microsoft:QuickGelu", call -> {
            Value x = call.in(0);
            Value factor = call.real(x.type(), call.node().real("alpha", 1.702f));
            return List.of(call.emit("Mul", x, call.emit("Sigmoid", call.emit("Mul", x, factor))));
        });
        operators.put("com.microsoft:SkipLayerNormalization", call -> skip(call, "LayerNormalization"));
        operators.put(
                "com.microsoft:SkipSimplifiedLayerNormalization", call -> skip(call, "SimplifiedLayerNormalization"));
        operators.put("com.microsoft:EmbedLayerNormalization", FusedLayers::embedding);
    }

    /** {@code alpha op(a) op(b)}, where op turns the last two axes around. */
    private static Value product(NodeCall call) {
        if (call.node().integer("transBatchA", 0) != 0 || call.node().integer("transBatchB", 0) != 0) {
            throw call.refused(
                    "moves batch axes (transBatchA, transBatchB); only products that keep them can be imported",
                    "export the model without fusing products (optimization level 1)");
        }
        Value left = turned(call, call.in(0), "transA");
        Value right = turned(call, call.in(1), "transB");
        Value product = call.emit("MatMul", left, right);
        double alpha = call.node().real("alpha", 1);
        return alpha == 1 ? product : call.emit("Mul", product, call.real(product.type(), alpha));
    }

    private static Value turned(NodeCall call, Value x, String attribute) {
        if (call.node().integer(attribute, 0) == 0 || x.rank() < 2) {
            return x;
        }
        int[] order = IntStream.range(0, x.rank()).toArray();
        order[x.rank() - 1] = x.rank() - 2;
        order[x.rank() - 2] = x.rank() - 1;
        return Shapes.permuted(call, x, order);
    }

    private static List<Value> gemm(NodeCall call) {
        Value sum = call.emit(
                "Gemm",
                Map.of(
                        "transA", call.node().integer("transA", 0),
                        "transB", call.node().integer("transB", 0),
                        "alpha", call.node().real("alpha", 1),
                        "beta", call.node().real("beta", 1)),
                call.in(0),
                call.in(1),
                call.optional(2).orElse(null));
        String activation = call.node().text("activation", "");
        return switch (activation) {
            case "Relu", "Tanh", "Sigmoid", "Softplus", "Softsign" -> List.of(call.emit(activation, sum));
            case "LeakyRelu" ->
                List.of(call.emit(activation, Map.of("alpha", call.node().real("activation_alpha", 0.01f)), sum));
            default ->
                throw call.refused(
                        "has the activation '" + activation + "', which cannot be imported",
                        "export the model without fusing activations (optimization level 1)");
        };
    }

    private static List<Value> gemmFastGelu(NodeCall call) {
        Value product = call.emit("MatMul", call.in(0), call.in(1));
        return List.of(
                call.emit("com.microsoft:FastGelu", product, call.optional(2).orElse(null)));
    }

    /** Outputs: the normalised sum, two statistics that nothing reads, the sum itself. */
    private static List<Value> skip(NodeCall call, String normalisation) {
        boolean simplified = normalisation.startsWith("Simplified");
        for (int i = 1; i < Math.min(3, call.node().outputs().size()); i++) {
            if (!call.node().output(i).isEmpty() && !call.isUnread(call.node().output(i))) {
                throw call.refused(
                        "hands out its mean or deviation; only the normalised tensor and the sum can be imported",
                        "leave the other outputs unused, or export the model without fusing normalisations (optimization level 1)");
            }
        }
        Value sum = call.emit("Add", call.in(0), call.in(1));
        Optional<Value> bias = call.optional(simplified ? 3 : 4);
        Value all = bias.isPresent() ? call.emit("Add", sum, bias.get()) : sum;
        Map<String, ?> epsilon = Map.of("epsilon", call.node().real("epsilon", 1e-12f));
        Value normal = simplified
                ? call.emit(normalisation, epsilon, all, call.in(2))
                : call.emit(
                        normalisation,
                        epsilon,
                        all,
                        call.in(2),
                        call.optional(3).orElse(null));
        return call.node().outputs().size() < 4 ? List.of(normal) : List.of(normal, all, all, all);
    }

    /** Sum of the embeddings of words, positions and segments, normalised; and the lengths of a mask's rows. */
    private static List<Value> embedding(NodeCall call) {
        Value ids = call.in(0);
        Value words = call.emit("Gather", call.in(2), ids);
        Dim length = ids.dim(1);
        Value places = call.optional(8)
                .orElseGet(() -> Value.computed(Creation.numbers(call, length), DataType.LONG, List.of(length)));
        Value sum = call.emit("Add", words, call.emit("Gather", call.in(3), places));
        if (call.optional(4).isPresent()) {
            sum = call.emit("Add", sum, call.emit("Gather", call.in(4), call.in(1)));
        }
        Map<String, ?> epsilon = Map.of("epsilon", call.node().real("epsilon", 1e-12f));
        Value normal = call.emit("LayerNormalization", epsilon, sum, call.in(5), call.in(6));
        List<Value> results = new ArrayList<>(List.of(normal));
        if (call.node().outputs().size() > 1) {
            results.add(lengths(call, ids));
            results.add(sum);
        }
        return results;
    }

    private static Value lengths(NodeCall call, Value ids) {
        Value mask = call.optional(7).orElse(null);
        Value wide = call.emit("Cast", Map.of("to", 7), mask == null ? ids : mask);
        Value counted = mask == null ? call.emit("Mul", wide, Gathering.number(call, Dim.ZERO)) : wide;
        Value sums = call.emit("ReduceSum", Map.of("keepdims", 0), counted, call.vector(1));
        return call.emit("Cast", Map.of("to", 6), sums);
    }
}
