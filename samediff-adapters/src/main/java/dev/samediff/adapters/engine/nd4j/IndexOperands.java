package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.graph.FromEnd;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which inputs of ND4J's operations are places in something else. Its C++ code uses most of them unchecked: a place outside
 * reads or writes memory of others, or ends the process.
 */
final class IndexOperands {
    /** Larger than every place, for operations whose result is as long as the largest one asks for. */
    private static final long ANY = Integer.MAX_VALUE;

    /** Those of {@link FromEnd}. */
    private static final List<IndexOperand> COUNTED = List.of(new IndexOperand(
            0, (inputs, arguments) -> new long[] {inputs.get(1).getLong(0)}, IndexOperand.Rule.COUNTED));

    private static final Map<String, List<IndexOperand>> TABLE = table();

    private IndexOperands() {}

    /** Returns the inputs of an op that are places; none of most ops. */
    static List<IndexOperand> of(DifferentialFunction op) {
        return FromEnd.isOne(op) ? COUNTED : TABLE.getOrDefault(op.opName(), List.of());
    }

    private static Map<String, List<IndexOperand>> table() {
        Map<String, List<IndexOperand>> table = new HashMap<>();
        table.put("gather", List.of(IndexOperand.fromEnd(1, (inputs, arguments) -> {
            long axis = inputs.size() > 2 ? inputs.get(2).getLong(0) : arguments.length > 0 ? arguments[0] : 0;
            return new long[] {inputs.get(0).size((int) axis)};
        })));
        table.put("gather_nd", List.of(IndexOperand.fromEnd(1, (inputs, arguments) -> coordinates(inputs))));
        for (String kind : List.of("add", "sub", "mul", "div", "max", "min", "upd")) {
            table.put("scatter_" + kind, List.of(IndexOperand.fromEnd(1, (inputs, arguments) -> rows(inputs, 0))));
        }
        for (String kind : List.of("Add", "Sub", "Mul", "Div", "Max", "Min", "Update")) {
            table.put("Scatter" + kind, List.of(IndexOperand.fromEnd(1, (inputs, arguments) -> rows(inputs, 0))));
        }
        for (String kind : List.of("add", "sub", "update")) {
            table.put(
                    "scatter_nd_" + kind, List.of(IndexOperand.fromEnd(1, (inputs, arguments) -> coordinates(inputs))));
        }
        table.put(
                "scatter_nd",
                List.of(IndexOperand.fromEnd(
                        0, (inputs, arguments) -> leading(inputs.get(2).toLongVector(), lastSize(inputs.get(0))))));
        table.put("embedding_lookup", List.of(IndexOperand.fromEnd(1, (inputs, arguments) -> rows(inputs, 0))));
        segments(table);
        classes(table);
        others(table);
        return Map.copyOf(table);
    }

    private static void segments(Map<String, List<IndexOperand>> table) {
        for (String kind : List.of("sum", "mean", "max", "min", "prod", "sqrt_n")) {
            table.put("unsorted_segment_" + kind, List.of(IndexOperand.of(1, (inputs, arguments) ->
                    new long[] {inputs.size() > 2 ? inputs.get(2).getLong(0) : arguments[0]})));
            table.put(
                    "unsorted_segment_" + kind + "_bp",
                    List.of(IndexOperand.of(1, (inputs, arguments) -> rows(inputs, 2))));
            table.put("segment_" + kind, List.of(IndexOperand.of(1, (inputs, arguments) -> {
                INDArray ids = inputs.get(1);
                return new long[] {1 + ids.getLong(ids.length() - 1)};
            })));
            table.put("segment_" + kind + "_bp", List.of(IndexOperand.of(1, (inputs, arguments) -> rows(inputs, 2))));
        }
    }

    private static void classes(Map<String, List<IndexOperand>> table) {
        for (String suffix : List.of("", "_grad")) {
            table.put(
                    "sparse_softmax_cross_entropy_loss_with_logits" + suffix,
                    List.of(IndexOperand.of(0, (inputs, arguments) -> new long[] {lastSize(inputs.get(1))})));
        }
        table.put("in_top_k", List.of(IndexOperand.of(1, (inputs, arguments) -> new long[] {lastSize(inputs.get(0))})));
        IndexOperand.Sizes numbered =
                (inputs, arguments) -> new long[] {arguments.length > 0 && arguments[0] > 0 ? arguments[0] : ANY};
        table.put("confusion_matrix", List.of(IndexOperand.of(0, numbered), IndexOperand.of(1, numbered)));
        table.put("dynamic_partition", List.of(IndexOperand.of(1, numbered)));
        table.put("dynamic_partition_bp", List.of(IndexOperand.of(1, numbered)));
    }

    private static void others(Map<String, List<IndexOperand>> table) {
        IndexOperand.Sizes any = (inputs, arguments) -> new long[] {ANY};
        table.put("onehot", List.of(new IndexOperand(0, any, IndexOperand.Rule.NOWHERE)));
        table.put("bincount", List.of(IndexOperand.of(0, any)));
        List<IndexOperand> halves = new ArrayList<>();
        IntStream.range(0, 32)
                .forEach(i -> halves.add(
                        IndexOperand.of(i, (inputs, arguments) -> i < inputs.size() / 2 ? new long[] {ANY} : null)));
        table.put("dynamic_stitch", List.copyOf(halves));
        IndexOperand.Sizes places =
                (inputs, arguments) -> new long[] {inputs.get(0).length()};
        table.put("invert_permutation", List.of(IndexOperand.of(0, places)));
        table.put("InvertPermutation", List.of(IndexOperand.of(0, places)));
        table.put("crop_and_resize", List.of(IndexOperand.of(2, (inputs, arguments) -> rows(inputs, 0))));
        table.put(
                "compat_sparse_to_dense",
                List.of(IndexOperand.of(0, (inputs, arguments) -> inputs.get(1).toLongVector())));
    }

    private static long[] rows(List<INDArray> inputs, int of) {
        return new long[] {inputs.get(of).size(0)};
    }

    /** The axes of input 0 that rows of coordinates in input 1 name. */
    private static long[] coordinates(List<INDArray> inputs) {
        return leading(inputs.get(0).shape(), lastSize(inputs.get(1)));
    }

    private static long[] leading(long[] shape, long count) {
        return IntStream.range(0, (int) Math.min(count, shape.length))
                .mapToLong(axis -> shape[axis])
                .toArray();
    }

    private static long lastSize(INDArray array) {
        return array.rank() == 0 ? 1 : array.size(array.rank() - 1);
    }
}
