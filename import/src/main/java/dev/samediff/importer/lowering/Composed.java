package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/** Element-wise operators and reductions that are formulas in other operators. */
final class Composed {
    /** A formula for one output. */
    @FunctionalInterface
    private interface Formula {
        Value of(NodeCall call, Value x);
    }

    private Composed() {}

    static void register(Map<String, OpLowering> operators) {
        activations(operators);
        functions(operators);
        reductions(operators);
        operators.put("Mean", Composed::mean);
        operators.put("PRelu", Composed::parametricRelu);
        operators.put("DepthToSpace", Composed::depthToSpace);
        operators.put("SpaceToDepth", Composed::spaceToDepth);
    }

    private static void put(Map<String, OpLowering> operators, String name, Formula formula) {
        operators.put(name, call -> List.of(formula.of(call, call.in(0))));
    }

    private static Value real(NodeCall call, Value x, double number) {
        return call.real(x.type(), number);
    }

    private static double attribute(NodeCall call, String name, double otherwise) {
        return call.node().real(name, (float) otherwise);
    }

    private static Value scaled(NodeCall call, Value x, double factor) {
        return factor == 1 ? x : call.emit("Mul", x, real(call, x, factor));
    }

    private static Value shifted(NodeCall call, Value x, double summand) {
        return call.emit("Add", x, real(call, x, summand));
    }

    private static Value clipped(NodeCall call, Value x, double low, double high) {
        return call.emit("Clip", x, real(call, x, low), real(call, x, high));
    }

    /** {@code alpha (exp(min(x, 0) / beta) - 1)}: min keeps the exponential, and its gradient, finite. */
    private static Value exponentialPart(NodeCall call, Value x, double alpha, double beta) {
        Value below = call.emit("Min", x, real(call, x, 0));
        Value exponential = call.emit("Exp", scaled(call, below, 1 / beta));
        return scaled(call, shifted(call, exponential, -1), alpha);
    }

    private static void activations(Map<String, OpLowering> operators) {
        put(
                operators,
                "HardSigmoid",
                (call, x) -> clipped(
                        call,
                        shifted(call, scaled(call, x, attribute(call, "alpha", 0.2)), attribute(call, "beta", 0.5)),
                        0,
                        1));
        put(
                operators,
                "HardSwish",
                (call, x) -> call.emit("Mul", x, clipped(call, shifted(call, scaled(call, x, 1.0 / 6), 0.5), 0, 1)));
        put(operators, "Mish", (call, x) -> call.emit("Mul", x, call.emit("Tanh", call.emit("Softplus", x))));
        put(
                operators,
                "Swish",
                (call, x) -> call.emit("Mul", x, call.emit("Sigmoid", scaled(call, x, attribute(call, "alpha", 1)))));
        put(operators, "Softsign", (call, x) -> call.emit("Div", x, shifted(call, call.emit("Abs", x), 1)));
        put(
                operators,
                "Elu",
                (call, x) -> call.emit(
                        "Add", call.emit("Relu", x), exponentialPart(call, x, attribute(call, "alpha", 1), 1)));
        put(operators, "Celu", (call, x) -> {
            double alpha = attribute(call, "alpha", 1);
            return call.emit("Add", call.emit("Relu", x), exponentialPart(call, x, alpha, alpha));
        });
        put(operators, "Selu", (call, x) -> {
            double alpha = attribute(call, "alpha", 1.67326319217681884765625);
            Value sum = call.emit("Add", call.emit("Relu", x), exponentialPart(call, x, alpha, 1));
            return scaled(call, sum, attribute(call, "gamma", 1.05070102214813232421875));
        });
        put(operators, "ThresholdedRelu", (call, x) -> {
            Value above = call.emit("Greater", x, real(call, x, attribute(call, "alpha", 1)));
            return call.emit("Where", above, x, real(call, x, 0));
        });
        put(operators, "Shrink", (call, x) -> {
            double bias = attribute(call, "bias", 0);
            double edge = attribute(call, "lambd", 0.5);
            Value above = call.emit("Greater", x, real(call, x, edge));
            Value below = call.emit("Less", x, real(call, x, -edge));
            Value rest = call.emit("Where", below, shifted(call, x, bias), real(call, x, 0));
            return call.emit("Where", above, shifted(call, x, -bias), rest);
        });
        put(operators, "Hardmax", (call, x) -> {
            int axis = call.axis("axis", call.opset() < 13 ? 1 : -1, x.rank());
            if (call.opset() < 13 && axis < x.rank() - 1) {
                throw call.refused(
                        "is a Hardmax over several axes; only one axis can be imported", "apply it along one axis");
            }
            Value places = call.emit("ArgMax", Map.of("axis", axis, "keepdims", 0), x);
            HostTensor offOn = HostTensor.of(x.type(), new long[] {2}, new double[] {0, 1});
            Value depth = Gathering.number(call, x.dim(axis));
            return call.emit(
                    "OneHot",
                    Map.of("axis", axis),
                    places,
                    depth,
                    call.builder().constant(offOn));
        });
    }

    private static void functions(Map<String, OpLowering> operators) {
        Elementwise.unary(operators, "Tan", (graph, x) -> graph.math().tan(x));
        Elementwise.unary(operators, "Asin", (graph, x) -> graph.math().asin(x));
        Elementwise.unary(operators, "Acos", (graph, x) -> graph.math().acos(x));
        Elementwise.unary(operators, "Atan", (graph, x) -> graph.math().atan(x));
        put(
                operators,
                "Sinh",
                (call, x) -> scaled(
                        call, call.emit("Sub", call.emit("Exp", x), call.emit("Exp", call.emit("Neg", x))), 0.5));
        put(
                operators,
                "Cosh",
                (call, x) -> scaled(
                        call, call.emit("Add", call.emit("Exp", x), call.emit("Exp", call.emit("Neg", x))), 0.5));
        put(
                operators,
                "Asinh",
                (call, x) -> call.emit(
                        "Log", call.emit("Add", x, call.emit("Sqrt", shifted(call, call.emit("Mul", x, x), 1)))));
        put(
                operators,
                "Acosh",
                (call, x) -> call.emit(
                        "Log", call.emit("Add", x, call.emit("Sqrt", shifted(call, call.emit("Mul", x, x), -1)))));
        put(
                operators,
                "Atanh",
                (call, x) -> scaled(
                        call,
                        call.emit("Log", call.emit("Div", shifted(call, x, 1), shifted(call, call.emit("Neg", x), 1))),
                        0.5));
        put(operators, "Round", Composed::round);
        operators.put("IsInf", Composed::isInfinite);
    }

    /** To the nearest whole number, ties to even: M2.1 rounds them away from zero. */
    private static Value round(NodeCall call, Value x) {
        Value down = call.emit("Floor", x);
        Value rest = call.emit("Sub", x, down);
        Value half = call.emit("Equal", rest, real(call, x, 0.5));
        Value above = call.emit("CastLike", call.emit("Greater", rest, real(call, x, 0.5)), x);
        Value halved = scaled(call, down, 0.5);
        Value odd = scaled(call, call.emit("Sub", halved, call.emit("Floor", halved)), 2);
        return call.emit("Add", down, call.emit("Add", above, call.emit("Where", half, odd, real(call, x, 0))));
    }

    private static List<Value> isInfinite(NodeCall call) {
        Value x = call.in(0);
        Value limit = real(call, x, x.type() == DataType.DOUBLE ? Double.MAX_VALUE : Float.MAX_VALUE);
        boolean above = call.node().integer("detect_positive", 1) == 1;
        boolean below = call.node().integer("detect_negative", 1) == 1;
        Value high = call.emit("Greater", x, limit);
        Value low = call.emit("Less", x, call.emit("Neg", limit));
        return List.of(above && below ? call.emit("Or", high, low) : above ? high : low);
    }

    private static void reductions(Map<String, OpLowering> operators) {
        reduction(operators, "ReduceL1", (call, x) -> reduced(call, "ReduceSum", call.emit("Abs", x)));
        reduction(
                operators, "ReduceL2", (call, x) -> call.emit("Sqrt", reduced(call, "ReduceSumSquare", real(call, x))));
        reduction(operators, "ReduceLogSum", (call, x) -> call.emit("Log", reduced(call, "ReduceSum", real(call, x))));
        reduction(operators, "ReduceLogSumExp", (call, x) -> logSumExp(call, real(call, x)));
    }

    /** A reduction that hands its input on where it names no axes and is asked to. */
    private static void reduction(Map<String, OpLowering> operators, String name, Formula formula) {
        put(operators, name, (call, x) -> {
            int[] axes = call.axes(1, x.rank());
            boolean none = axes == null || axes.length == 0;
            return none && call.node().integer("noop_with_empty_axes", 0) == 1 ? x : formula.of(call, x);
        });
    }

    private static Value real(NodeCall call, Value x) {
        if (!x.type().isFPType()) {
            throw call.refused("takes real numbers, and is given " + x.type(), "cast them first");
        }
        return x;
    }

    /** The node's own reduction, by another operator. */
    private static Value reduced(NodeCall call, String operator, Value x) {
        int[] axes = call.axes(1, x.rank());
        boolean none = axes == null || axes.length == 0;
        long[] all = none
                ? IntStream.range(0, x.rank()).asLongStream().toArray()
                : Arrays.stream(axes).asLongStream().toArray();
        return call.emit(operator, Map.of("keepdims", call.node().integer("keepdims", 1)), x, call.vector(all));
    }

    private static Value logSumExp(NodeCall call, Value x) {
        int[] axes = call.axes(1, x.rank());
        long[] all = axes == null || axes.length == 0
                ? IntStream.range(0, x.rank()).asLongStream().toArray()
                : Arrays.stream(axes).asLongStream().toArray();
        Value most = call.emit("ReduceMax", x, call.vector(all));
        Value shift = call.emit("Where", call.emit("IsInf", most), real(call, x, 0), most);
        Value sum = call.emit("ReduceSum", call.emit("Exp", call.emit("Sub", x, shift)), call.vector(all));
        Value result = call.emit("Add", call.emit("Log", sum), shift);
        return call.node().integer("keepdims", 1) == 1 ? result : call.emit("Squeeze", result, call.vector(all));
    }

    private static List<Value> mean(NodeCall call) {
        Value sum = call.in(0);
        for (int i = 1; i < call.inputs().size(); i++) {
            sum = call.emit("Add", sum, call.in(i));
        }
        return List.of(scaled(call, sum, 1.0 / call.inputs().size()));
    }

    private static List<Value> parametricRelu(NodeCall call) {
        Value x = call.in(0);
        Value below = call.emit("Min", x, real(call, x, 0));
        return List.of(call.emit("Add", call.emit("Relu", x), call.emit("Mul", below, call.in(1))));
    }

    private static long blockSize(NodeCall call, Value x) {
        long size = call.node().integer("blocksize", 0);
        if (size < 1 || x.rank() != 4 || !x.dim(1).isKnown()) {
            throw call.refused(
                    "moves blocks of " + size + " of a tensor " + x
                            + "; expected a positive size and 4 axes with a known number of channels",
                    "export with the number of channels fixed");
        }
        return size;
    }

    private static List<Value> depthToSpace(NodeCall call) {
        Value x = call.in(0);
        long size = blockSize(call, x);
        boolean columnsFirst = call.node().text("mode", "DCR").equals("CRD");
        long channels = x.dim(1).known() / (size * size);
        Value apart = columnsFirst
                ? call.emit("Reshape", x, call.vector(blocks(call, x, channels, size, size)))
                : call.emit("Reshape", x, call.vector(blocks(call, x, size, size, channels)));
        long[] order = columnsFirst ? new long[] {0, 1, 4, 2, 5, 3} : new long[] {0, 3, 4, 1, 5, 2};
        Value turned = call.emit("Transpose", Map.of("perm", order), apart);
        Dim large = Dim.of(size);
        return List.of(call.builder()
                .reshape(
                        turned,
                        List.of(
                                x.dim(0),
                                Dim.of(channels),
                                x.dim(2).times(large),
                                x.dim(3).times(large))));
    }

    private static List<Dim> blocks(NodeCall call, Value x, long first, long second, long third) {
        return List.of(x.dim(0), Dim.of(first), Dim.of(second), Dim.of(third), x.dim(2), x.dim(3));
    }

    private static List<Value> spaceToDepth(NodeCall call) {
        Value x = call.in(0);
        long size = blockSize(call, x);
        Dim block = Dim.of(size);
        Optional<Dim> high = x.dim(2).dividedBy(block);
        Optional<Dim> wide = x.dim(3).dividedBy(block);
        if (high.isEmpty() || wide.isEmpty()) {
            throw call.refused(
                    "cuts axes of sizes " + x.dim(2) + " and " + x.dim(3) + " into blocks of " + size
                            + "; sizes known to be multiples can be imported",
                    "export with these sizes fixed");
        }
        Value apart = call.builder().reshape(x, List.of(x.dim(0), x.dim(1), high.get(), block, wide.get(), block));
        Value turned = call.emit("Transpose", Map.of("perm", new long[] {0, 3, 5, 1, 2, 4}), apart);
        return List.of(call.builder()
                .reshape(turned, List.of(x.dim(0), x.dim(1).times(block).times(block), high.get(), wide.get())));
    }
}
