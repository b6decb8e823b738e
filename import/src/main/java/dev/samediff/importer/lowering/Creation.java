package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Fill;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/** Tensors made from sizes: filled ones, ranges, triangles. */
final class Creation {
    private Creation() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Constant", call -> {
            throw call.refused(
                    "holds neither numbers nor a dense tensor; only those can be imported",
                    "store it as one of them, without strings and sparse tensors");
        });
        operators.put("ConstantOfShape", Creation::filled);
        operators.put("Range", Creation::range);
        operators.put("Trilu", Creation::triangle);
    }

    private static List<Value> filled(NodeCall call) {
        List<Dim> dims = call.known(0, "sizes").asDims();
        Value one = call.builder().constant(Fill.of(call.node()).reshaped(ones(dims.size())));
        return List.of(Expanding.expand(call, one, dims));
    }

    private static long[] ones(int rank) {
        long[] shape = new long[rank];
        Arrays.fill(shape, 1);
        return shape;
    }

    private static List<Value> range(NodeCall call) {
        Value start = call.in(0);
        Value limit = call.in(1);
        Value delta = call.in(2);
        requireCountable(call, start.content(), limit.content(), delta.content());
        SDVariable result =
                call.graph().range(start.variable(), limit.variable(), delta.variable(), OnnxTypes.held(start.type()));
        return call.result(result, start.type(), List.of(length(call, start, limit, delta)));
    }

    /** Refuses known numbers of which there is no count, or none that a tensor can have. */
    private static void requireCountable(
            NodeCall call, @Nullable HostTensor from, @Nullable HostTensor to, @Nullable HostTensor step) {
        boolean known = Stream.of(from, to, step).allMatch(each -> each != null && !each.isSymbolic());
        if (known && from != null && to != null && step != null) {
            double count = (to.asDouble(0) - from.asDouble(0)) / step.asDouble(0);
            if (Double.isNaN(count) || count > Integer.MAX_VALUE) {
                throw call.invalid("counts from " + from.asDouble(0) + " to " + to.asDouble(0) + " by "
                        + step.asDouble(0) + ", which is no number of elements that a tensor can have");
            }
        }
    }

    private static Dim length(NodeCall call, Value start, Value limit, Value delta) {
        HostTensor from = start.content();
        HostTensor to = limit.content();
        HostTensor step = delta.content();
        boolean unit = step != null && step.isSingle() && step.asDouble(0) == 1;
        if (!unit || from == null || to == null || from.isFloating() || to.isFloating()) {
            return call.builder().unknown();
        }
        return call.builder().sizes().larger(to.dim(0).minus(from.dim(0)), Dim.ZERO);
    }

    /** Keeps the part above or below a diagonal, by comparing row and column numbers. */
    private static List<Value> triangle(NodeCall call) {
        Value x = call.in(0);
        long diagonal = call.optional(1).isPresent() ? call.known(1, "diagonal").asLong(0) : 0;
        boolean upper = call.node().integer("upper", 1) == 1;
        SDVariable rows = numbers(call, x.dim(x.rank() - 2));
        SDVariable columns = numbers(call, x.dim(x.rank() - 1));
        SDVariable shifted = call.graph().expandDims(rows.add(call.builder().whole(diagonal)), 1);
        SDVariable across = call.graph().expandDims(columns, 0);
        SDVariable kept = upper ? across.gte(shifted) : across.lte(shifted);
        Value mask = Value.computed(kept, DataType.BOOL, x.dims().subList(x.rank() - 2, x.rank()));
        Value zero = call.builder().constant(HostTensor.filled(x.type(), new long[0], 0));
        return List.of(call.emit("Where", mask, x, zero));
    }

    /** The vector 0, 1, ..., count - 1. */
    static SDVariable numbers(NodeCall call, Dim count) {
        Holdable.require(call, List.of(count));
        GraphBuilder builder = call.builder();
        SDVariable end = builder.constant(Shapes.scalar(count)).variable();
        return builder.once(
                end, "range", () -> call.graph().range(builder.whole(0), end, builder.whole(1), DataType.LONG));
    }
}
