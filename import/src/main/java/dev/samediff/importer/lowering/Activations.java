package dev.samediff.importer.lowering;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Activation functions and softmax. GELU is built from erf and tanh: SameDiff's own are other approximations. */
final class Activations {
    private Activations() {}

    static void register(Map<String, OpLowering> operators) {
        Elementwise.unary(operators, "Tanh", (graph, x) -> graph.math().tanh(x));
        Elementwise.unary(operators, "Erf", (graph, x) -> graph.math().erf(x));
        Elementwise.unary(operators, "Sigmoid", (graph, x) -> graph.nn().sigmoid(x));
        Elementwise.unary(operators, "Relu", (graph, x) -> graph.nn().relu(x, 0));
        Elementwise.unary(operators, "Softplus", (graph, x) -> graph.nn().softplus(x));
        operators.put(
                "LeakyRelu",
                call -> call.result(
                        call.graph()
                                .nn()
                                .leakyRelu(call.in(0).variable(), call.node().real("alpha", 0.01f)),
                        call.in(0)));
        operators.put("Gelu", Activations::gelu);
        operators.put("com.microsoft:Gelu", Activations::gelu);
        operators.put("com.microsoft:FastGelu", Activations::fastGelu);
        operators.put("Softmax", call -> softmax(call, false));
        operators.put("LogSoftmax", call -> softmax(call, true));
        operators.put("Dropout", Activations::dropout);
    }

    private static List<Value> dropout(NodeCall call) {
        List<String> outputs = call.node().outputs();
        if (outputs.size() > 1 && !outputs.get(1).isEmpty() && !call.isUnread(outputs.get(1))) {
            throw call.refused(
                    "hands out its mask; only the tensor, which passes unchanged, can be imported",
                    "export the model in evaluation mode (model.eval())");
        }
        return List.of(call.in(0));
    }

    private static List<Value> gelu(NodeCall call) {
        SDVariable x = call.in(0).variable();
        SDVariable result = call.node().text("approximate", "none").equals("tanh")
                ? tanhGelu(call.graph(), x)
                : call.graph().math().erf(x.mul(Math.sqrt(0.5))).add(1.0).mul(x).mul(0.5);
        return call.result(result, call.in(0));
    }

    /** ONNX Runtime's fused tanh GELU, with an optional bias in front. */
    private static List<Value> fastGelu(NodeCall call) {
        SDVariable x = call.in(0).variable();
        SDVariable biased = call.optional(1).map(bias -> x.add(bias.variable())).orElse(x);
        return call.result(tanhGelu(call.graph(), biased), call.in(0));
    }

    private static SDVariable tanhGelu(SameDiff graph, SDVariable x) {
        SDVariable inner = graph.math().square(x).mul(x).mul(0.044715).add(x).mul(Math.sqrt(2 / Math.PI));
        return graph.math().tanh(inner).add(1.0).mul(x).mul(0.5);
    }

    private static List<Value> softmax(NodeCall call, boolean logarithm) {
        Value x = call.in(0);
        Value result = softmax(call, x, logarithm);
        if (!logarithm) {
            call.builder().origins().softmax(result, new Origins.Softmax(x, scores -> softmax(call, scores, false)));
        }
        return List.of(result);
    }

    /** Before operator set 13, softmax runs over all axes from the given one on, as if they were one. */
    private static Value softmax(NodeCall call, Value x, boolean logarithm) {
        int axis = call.axis("axis", call.opset() < 13 ? 1 : -1, x.rank());
        if (call.opset() < 13 && axis < x.rank() - 1) {
            Value matrix = call.builder().reshape(x, Shapes.flattened(x.dims(), axis));
            SDVariable result = softmax(call, matrix, 1, logarithm);
            return call.builder().reshape(Value.computed(result, x.type(), matrix.dims()), x.dims());
        }
        return Value.computed(softmax(call, x, axis, logarithm), x.type(), x.dims());
    }

    private static SDVariable softmax(NodeCall call, Value value, int axis, boolean logarithm) {
        SameDiff graph = call.graph();
        SDVariable x = value.variable();
        int[] axes = {axis};
        if (!logarithm && call.builder().origins().isOrdinary(value)) {
            return graph.nn().softmax(x, axis);
        }
        SDVariable largest = Reductions.emit(call, value, true, axes, SameDiff::max);
        if (!logarithm) {
            return graph.nn()
                    .softmax(x.sub(largest), axis); // M2.1: NaN in a row that has nothing but the lowest number
        }
        Value shifted = Value.computed(x.sub(largest), value.type(), value.dims());
        Value powers = Value.computed(graph.math().exp(shifted.variable()), value.type(), value.dims());
        SDVariable sum = Reductions.emit(call, powers, true, axes, SameDiff::sum);
        return shifted.variable().sub(graph.math().log(sum));
    }
}
