package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;

/** Pooling: sums or maxima of the shifted slices that the windows see. */
final class Pooling {
    private Pooling() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("GlobalAveragePool", call -> global(call, "ReduceMean"));
        operators.put("GlobalMaxPool", call -> global(call, "ReduceMax"));
        operators.put("AveragePool", Pooling::average);
        operators.put("MaxPool", Pooling::maximum);
    }

    private static List<Value> global(NodeCall call, String reduction) {
        Value x = call.in(0);
        long[] axes = LongStream.range(2, x.rank()).toArray();
        return List.of(call.emit(reduction, x, call.vector(axes)));
    }

    private static Windows windows(NodeCall call, Value x) {
        long[] kernel = call.node().integers("kernel_shape");
        if (kernel == null || kernel.length != x.rank() - 2) {
            throw call.invalid("has no kernel_shape for its " + (x.rank() - 2) + " axes");
        }
        Windows windows = Windows.of(call, x, kernel);
        return call.node().integer("ceil_mode", 0) == 1 ? windows.toLastPlace(call, x) : windows;
    }

    private static List<Value> average(NodeCall call) {
        Value x = call.in(0);
        Windows windows = windows(call, x);
        if (call.node().integer("ceil_mode", 0) == 1 && call.node().integer("count_include_pad", 0) == 1) {
            throw call.refused(
                    "averages with ceil_mode = 1 and count_include_pad = 1, which runtimes do not agree on; one of them can be imported",
                    "export without one of them");
        }
        boolean padded = LongStream.of(windows.pads()).anyMatch(pad -> pad != 0);
        Value sum = combined(call, windows, windows.padded(call, x, 0), "Add");
        if (!padded || call.node().integer("count_include_pad", 0) == 1) {
            long count = LongStream.of(windows.kernel()).reduce(1, (a, b) -> a * b);
            return List.of(call.emit("Mul", sum, call.real(x.type(), 1.0 / count)));
        }
        Value one = call.real(x.type(), 1);
        List<Dim> dims = new ArrayList<>(x.dims());
        dims.set(0, Dim.ONE);
        dims.set(1, Dim.ONE);
        Value ones = Expanding.expand(call, one, dims);
        Value counts = combined(call, windows, windows.padded(call, ones, 0), "Add");
        return List.of(call.emit("Div", sum, counts));
    }

    private static List<Value> maximum(NodeCall call) {
        if (call.node().outputs().size() > 1
                && !call.isUnread(call.node().outputs().get(1))) {
            throw call.refused(
                    "hands out the places of the maxima; only the maxima can be imported", "find the places by ArgMax");
        }
        Value x = call.in(0);
        Windows windows = windows(call, x);
        return List.of(combined(call, windows, windows.padded(call, x, -Float.MAX_VALUE), "Max"));
    }

    private static Value combined(NodeCall call, Windows windows, Value x, String operator) {
        Value result = null;
        for (long[] offset : windows.offsets(call)) {
            Value part = windows.withoutPads().slice(call, x, offset);
            result = result == null ? part : call.emit(operator, result, part);
        }
        return Objects.requireNonNull(result);
    }
}
