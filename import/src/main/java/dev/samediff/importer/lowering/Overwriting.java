package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;

/** Updates of one place without a reduction: ONNX leaves open which counts, ONNX Runtime takes the last one. */
final class Overwriting {
    private Overwriting() {}

    /**
     * One-hot rows of which only the last that names a place has its one.
     *
     * @param hot rows, [updates, places] or [lines, updates, places]
     * @param count how many updates there are
     * @param axis the axis of updates in {@code hot}
     * @param along the axis of the node's indices along which they are updates, or -1 if each of their rows is one
     */
    static Value last(NodeCall call, Value hot, Dim count, int axis, int along) {
        HostTensor known = call.in(1).content();
        if (count.is(1) || (known != null && !known.isSymbolic() && isDistinct(known, along))) {
            return hot;
        }
        Value numbers = Value.computed(Creation.numbers(call, count), DataType.LONG, List.of(count));
        Map<String, Integer> type = Map.of("to", OnnxTypes.number(hot.type()));
        Value one = call.real(hot.type(), 1);
        Value counted = call.emit("Add", call.emit("Cast", type, numbers), one);
        Value ranked = call.emit("Mul", hot, call.emit("Unsqueeze", counted, call.vector(1)));
        Value latest = call.emit("ReduceMax", ranked, call.vector(axis));
        Value isLatest = call.emit("Equal", ranked, latest);
        return call.emit("Mul", hot, call.emit("Cast", type, isLatest));
    }

    /** Tells whether no place is named twice for sure: indices below zero may name what others do. */
    private static boolean isDistinct(HostTensor indices, int along) {
        long[] numbers = indices.asLongs();
        boolean negative = Arrays.stream(numbers).anyMatch(number -> number < 0);
        if (negative && Arrays.stream(numbers).anyMatch(number -> number >= 0)) {
            return false;
        }
        long[] shape = indices.shape();
        Set<List<Long>> seen = new HashSet<>();
        if (along < 0) {
            int width = Math.toIntExact(shape[shape.length - 1]);
            for (int row = 0; row < numbers.length; row += width) {
                if (!seen.add(Arrays.stream(numbers, row, row + width).boxed().toList())) {
                    return false;
                }
            }
            return true;
        }
        long inner = 1;
        for (int i = along + 1; i < shape.length; i++) {
            inner *= shape[i];
        }
        for (int i = 0; i < numbers.length; i++) {
            long line = i / (inner * shape[along]) * inner + i % inner;
            if (!seen.add(List.of(line, numbers[i]))) {
                return false;
            }
        }
        return true;
    }
}
