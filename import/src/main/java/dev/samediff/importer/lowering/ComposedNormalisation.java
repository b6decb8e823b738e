package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Normalisations that are formulas in other operators. */
final class ComposedNormalisation {
    private ComposedNormalisation() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("BatchNormalization", ComposedNormalisation::batch);
        operators.put("InstanceNormalization", ComposedNormalisation::instance);
        operators.put("GroupNormalization", ComposedNormalisation::group);
        operators.put("MeanVarianceNormalization", ComposedNormalisation::meanVariance);
        operators.put("LpNormalization", ComposedNormalisation::unitLength);
        operators.put("RMSNormalization", ComposedNormalisation::rootMeanSquare);
    }

    /** {@code (x - mean) / sqrt(variance + epsilon)} over axes. */
    private static Value standardised(NodeCall call, Value x, double epsilon, long... axes) {
        Value centred = call.emit("Sub", x, call.emit("ReduceMean", x, call.vector(axes)));
        Value variance = call.emit("ReduceMean", call.emit("Mul", centred, centred), call.vector(axes));
        Value root = call.emit("Sqrt", call.emit("Add", variance, call.real(x.type(), epsilon)));
        return call.emit("Div", centred, root);
    }

    /** A vector over channels, so that it broadcasts against [N,C,...]. */
    private static Value perChannel(NodeCall call, Value vector, int rank) {
        List<Dim> dims = new ArrayList<>(List.of(vector.dim(0)));
        IntStream.range(2, rank).forEach(axis -> dims.add(Dim.ONE));
        return call.builder().reshape(vector, dims);
    }

    private static Value affine(NodeCall call, Value normal, Value scale, Value shift) {
        int rank = normal.rank();
        Value scaled = call.emit("Mul", normal, perChannel(call, scale, rank));
        return call.emit("Add", scaled, perChannel(call, shift, rank));
    }

    private static double epsilon(NodeCall call) {
        return call.node().real("epsilon", 1e-5f);
    }

    /** As in inference, with the stored statistics. */
    private static List<Value> batch(NodeCall call) {
        if (call.node().integer("training_mode", 0) == 1) {
            throw call.refused(
                    "normalises with the statistics of the batch (training_mode = 1)",
                    "export the model in evaluation mode");
        }
        Value x = call.in(0);
        int rank = x.rank();
        Value centred = call.emit("Sub", x, perChannel(call, call.in(3), rank));
        Value variance = call.emit("Add", call.in(4), call.real(x.type(), epsilon(call)));
        Value normal = call.emit("Div", centred, perChannel(call, call.emit("Sqrt", variance), rank));
        return List.of(affine(call, normal, call.in(1), call.in(2)));
    }

    private static List<Value> instance(NodeCall call) {
        Value x = call.in(0);
        long[] axes = LongStream.range(2, x.rank()).toArray();
        return List.of(affine(call, standardised(call, x, epsilon(call), axes), call.in(1), call.in(2)));
    }

    /** Scale and shift are per group before operator set 21, per channel since. */
    private static List<Value> group(NodeCall call) {
        Value x = call.in(0);
        long groups = call.node().integer("num_groups", 0);
        if (groups < 1 || !x.dim(1).isKnown() || x.dim(1).known() % groups != 0) {
            throw call.refused(
                    "normalises " + groups + " groups of " + x.dim(1)
                            + " channels; expected a known number of channels that the groups divide",
                    "export with that number fixed");
        }
        Dim each = Dim.of(x.dim(1).known() / groups);
        List<Dim> apart = new ArrayList<>(x.dims());
        apart.set(1, Dim.of(groups));
        apart.add(2, each);
        long[] axes = LongStream.range(2, apart.size()).toArray();
        Value normal = standardised(call, call.builder().reshape(x, apart), epsilon(call), axes);
        if (call.opset() < 21) {
            return List.of(call.builder().reshape(affine(call, normal, call.in(1), call.in(2)), x.dims()));
        }
        return List.of(affine(call, call.builder().reshape(normal, x.dims()), call.in(1), call.in(2)));
    }

    private static List<Value> meanVariance(NodeCall call) {
        long[] axes = call.node().integers("axes");
        return List.of(standardised(call, call.in(0), 1e-9, axes == null ? new long[] {0, 2, 3} : axes));
    }

    private static List<Value> unitLength(NodeCall call) {
        Value x = call.in(0);
        Value axis = call.vector(call.axis("axis", -1, x.rank()));
        boolean byRoot = call.node().integer("p", 2) != 1;
        Value sum = call.emit(byRoot ? "ReduceSumSquare" : "ReduceL1", x, axis);
        // a row of zeros stays one, as in ONNX Runtime, and its gradient a number
        Value nothing = call.emit("Equal", sum, call.real(x.type(), 0));
        Value divisor = call.emit("Where", nothing, call.real(x.type(), 1), sum);
        return List.of(call.emit("Div", x, byRoot ? call.emit("Sqrt", divisor) : divisor));
    }

    private static List<Value> rootMeanSquare(NodeCall call) {
        Value x = call.in(0);
        long[] axes =
                LongStream.range(call.axis("axis", -1, x.rank()), x.rank()).toArray();
        Value squares = call.emit("ReduceMean", call.emit("Mul", x, x), call.vector(axes));
        Value root = call.emit("Sqrt", call.emit("Add", squares, call.real(x.type(), epsilon(call))));
        return List.of(call.emit("Mul", call.emit("Div", x, root), call.in(1)));
    }
}
