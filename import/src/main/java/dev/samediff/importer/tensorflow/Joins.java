package dev.samediff.importer.tensorflow;

import java.util.Arrays;
import java.util.Map;

/** Joining tensors along an axis, and cutting them apart. */
final class Joins {
    private Joins() {}

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("ConcatV2", call -> concat(call, 0, call.count() - 1, call.count() - 1));
        operators.put("Concat", call -> concat(call, 1, call.count(), 0));
        operators.put("Pack", Joins::pack);
        operators.put("Unpack", Joins::unpack);
        operators.put("Split", call -> {
            int count = (int) call.node().integer("num_split", 1);
            long axis = call.numbers(0, "axis")[0];
            call.results(count, "Split", Map.of("axis", axis, "num_outputs", (long) count), call.in(1));
        });
        operators.put("SplitV", Joins::splitSizes);
    }

    private static void concat(TensorFlowCall call, int from, int to, int axis) {
        String[] inputs = new String[to - from];
        for (int i = from; i < to; i++) {
            inputs[i - from] = call.in(i);
        }
        call.result("Concat", Map.of("axis", call.numbers(axis, "axis")[0]), inputs);
    }

    private static void pack(TensorFlowCall call) {
        long axis = call.node().integer("axis", 0);
        String[] inputs = new String[call.count()];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = call.emit("Unsqueeze", call.in(i), call.vector(axis));
        }
        call.result("Concat", Map.of("axis", axis), inputs);
    }

    private static void unpack(TensorFlowCall call) {
        long axis = call.node().integer("axis", 0);
        int count = (int) call.node().integer("num", 1);
        for (int i = 0; i < count; i++) {
            String part = call.emit("Slice", call.in(0), call.vector(i), call.vector(i + 1L), call.vector(axis));
            call.bind(i, call.emit("Squeeze", part, call.vector(axis)));
        }
    }

    /** One size may be -1, for what is left: the parts behind it are counted from the end. */
    private static void splitSizes(TensorFlowCall call) {
        long[] sizes = call.numbers(1, "sizes");
        String axis = call.vector(call.numbers(2, "axis")[0]);
        long before = 0;
        long behind = -Arrays.stream(sizes).filter(size -> size > 0).sum();
        boolean passed = Arrays.stream(sizes).noneMatch(size -> size < 0);
        if (passed) {
            call.results(
                    sizes.length, "Split", Map.of("axis", call.numbers(2, "axis")[0]), call.in(0), call.vector(sizes));
            return;
        }
        for (int i = 0; i < sizes.length; i++) {
            boolean rest = sizes[i] < 0;
            behind += rest ? 0 : sizes[i];
            long start = passed ? behind - sizes[i] : before;
            long end = passed || rest ? behind : before + sizes[i];
            passed |= rest;
            before += rest ? 0 : sizes[i];
            String to = call.vector(end == 0 && passed ? Long.MAX_VALUE : end);
            call.bind(i, call.emit("Slice", call.in(0), call.vector(start), to, axis));
        }
    }
}
