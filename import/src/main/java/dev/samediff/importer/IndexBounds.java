package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.LongStream;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/**
 * How large the numbers of whole-number inputs may be: below the height of every table that they look something up in,
 * followed through the graph from the input to Gather and the fused operators that look up.
 */
final class IndexBounds {
    /** Operators that hand numbers of these inputs on, so that an index stays an index; no positions: all inputs. */
    private static final Map<String, Set<Integer>> PASSING = Map.ofEntries(
            Map.entry("Identity", Set.of(0)),
            Map.entry("Cast", Set.of(0)),
            Map.entry("Reshape", Set.of(0)),
            Map.entry("Unsqueeze", Set.of(0)),
            Map.entry("Squeeze", Set.of(0)),
            Map.entry("Expand", Set.of(0)),
            Map.entry("Transpose", Set.of(0)),
            Map.entry("Slice", Set.of(0)),
            Map.entry("Flatten", Set.of(0)),
            Map.entry("Tile", Set.of(0)),
            Map.entry("Split", Set.of(0)),
            Map.entry("Gather", Set.of(0)),
            Map.entry("GatherElements", Set.of(0)),
            Map.entry("Where", Set.of(1, 2)),
            Map.entry("Concat", Set.of()));

    /** Operators that look up: position of the indices, position of the table. */
    private static final Map<String, List<Lookup>> LOOKUPS = Map.of(
            "Gather", List.of(new Lookup(1, 0)),
            "GatherElements", List.of(new Lookup(1, 0)),
            "GatherBlockQuantized", List.of(new Lookup(1, 0)),
            "EmbedLayerNormalization", List.of(new Lookup(0, 2), new Lookup(1, 4), new Lookup(8, 3)),
            "RotaryEmbedding", List.of(new Lookup(1, 2), new Lookup(3, 1)));

    /** Where an operator has its indices and its table. */
    private record Lookup(int indices, int table) {}

    /** A value that is the input plus a number. */
    private record Shifted(String value, long by) {}

    private final Map<String, TensorProto> constants = new HashMap<>();
    private final Map<String, NodeProto> writers = new HashMap<>();
    private final Map<String, Set<NodeProto>> readers = new HashMap<>();

    IndexBounds(GraphProto graph) {
        graph.getInitializerList().forEach(tensor -> constants.put(tensor.getName(), tensor));
        for (NodeProto node : graph.getNodeList()) {
            node.getOutputList().forEach(output -> writers.put(output, node));
            node.getInputList()
                    .forEach(input -> readers.computeIfAbsent(input, name -> new LinkedHashSet<>())
                            .add(node));
            if (node.getOpType().equals("Constant")
                    && node.getOutputCount() == 1
                    && node.getAttributeCount() == 1
                    && node.getAttribute(0).hasT()) {
                constants.put(node.getOutput(0), node.getAttribute(0).getT());
            }
        }
    }

    /** Returns the number that every element of the input must be smaller than; nothing if it indexes no table. */
    OptionalLong of(String input) {
        Deque<Shifted> open = new ArrayDeque<>(List.of(new Shifted(input, 0)));
        Set<Shifted> seen = new HashSet<>(open);
        long bound = Long.MAX_VALUE;
        while (!open.isEmpty()) {
            Shifted value = open.remove();
            for (NodeProto node : readers.getOrDefault(value.value(), Set.of())) {
                bound = Math.min(bound, lookedUp(node, value));
                long by = value.by() + shift(node, value.value());
                if (passes(node, value.value()) && Math.abs(by) < Integer.MAX_VALUE) {
                    node.getOutputList().stream()
                            .map(output -> new Shifted(output, by))
                            .filter(seen::add)
                            .forEach(open::add);
                }
            }
            if (seen.size() > constants.size() + 4 * writers.size() + 16) {
                break; // numbers that are added to without end
            }
        }
        return bound == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(bound);
    }

    private long lookedUp(NodeProto node, Shifted value) {
        long bound = Long.MAX_VALUE;
        for (Lookup lookup : LOOKUPS.getOrDefault(node.getOpType(), List.of())) {
            boolean indexes = lookup.indices() < node.getInputCount()
                    && node.getInput(lookup.indices()).equals(value.value());
            TensorProto table =
                    indexes && lookup.table() < node.getInputCount() ? constant(node.getInput(lookup.table())) : null;
            if (table != null && table.getDimsCount() > 0) {
                bound = Math.min(bound, height(node, table) - value.by());
            }
        }
        return bound;
    }

    private static long height(NodeProto node, TensorProto table) {
        long axis = attribute(node, node.getOpType().equals("GatherBlockQuantized") ? "gather_axis" : "axis");
        long positive = axis < 0 ? axis + table.getDimsCount() : axis;
        return positive < 0 || positive >= table.getDimsCount() ? Long.MAX_VALUE : table.getDims((int) positive);
    }

    private static long attribute(NodeProto node, String name) {
        return node.getAttributeList().stream()
                .filter(attribute -> attribute.getName().equals(name))
                .mapToLong(onnx.Onnx.AttributeProto::getI)
                .findFirst()
                .orElse(0);
    }

    private boolean passes(NodeProto node, String value) {
        if (isShift(node, value)) {
            return true;
        }
        Set<Integer> positions = PASSING.get(node.getOpType());
        if (positions == null) {
            return false;
        }
        return positions.isEmpty()
                || positions.stream()
                        .anyMatch(i ->
                                i < node.getInputCount() && node.getInput(i).equals(value));
    }

    private boolean isShift(NodeProto node, String value) {
        boolean sum = node.getOpType().equals("Add")
                || (node.getOpType().equals("Sub")
                        && node.getInputCount() == 2
                        && node.getInput(0).equals(value));
        return sum && node.getInputCount() == 2 && !number(other(node, value)).isEmpty();
    }

    private long shift(NodeProto node, String value) {
        if (!isShift(node, value)) {
            return 0;
        }
        long number = number(other(node, value)).orElse(0);
        return node.getOpType().equals("Add") ? number : -number;
    }

    private static String other(NodeProto node, String value) {
        return node.getInput(0).equals(value) ? node.getInput(1) : node.getInput(0);
    }

    /** A stored whole number. */
    private OptionalLong number(String value) {
        long[] numbers = numbers(value);
        return numbers.length == 1 ? OptionalLong.of(numbers[0]) : OptionalLong.empty();
    }

    /** Stored whole numbers, as many as a tensor has axes; empty if they are computed or more. */
    private long[] numbers(String value) {
        TensorProto tensor = constant(value);
        if (tensor == null
                || tensor.getDataType() != TensorProto.DataType.INT64_VALUE
                || tensor.getRawData().size() > HostTensor.MOST_AXES * Long.BYTES
                || tensor.getInt64DataCount() > HostTensor.MOST_AXES) {
            return new long[0];
        }
        if (tensor.getInt64DataCount() > 0) {
            return tensor.getInt64DataList().stream().mapToLong(Long::longValue).toArray();
        }
        long[] numbers = new long[tensor.getRawData().size() / Long.BYTES];
        tensor.getRawData()
                .asReadOnlyByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer()
                .get(numbers);
        return numbers;
    }

    /** The stored tensor behind a value, seen through Identity and Cast; null if it is computed. */
    private @Nullable TensorProto constant(String value) {
        String source = value;
        for (int i = 0; i < writers.size() + 1; i++) {
            TensorProto tensor = constants.get(source);
            NodeProto writer = writers.get(source);
            if (tensor != null || writer == null || writer.getInputCount() == 0) {
                return tensor;
            }
            if (!writer.getOpType().equals("Identity") && !writer.getOpType().equals("Cast")) {
                return null;
            }
            source = writer.getInput(0);
        }
        return null;
    }

    /**
     * Returns how many tokens the model can see at most: tables that are sliced or looked up at places computed from sizes
     * (positions, rotary tables, causal masks) or given as positions end there; nothing if there are none.
     */
    OptionalLong longestText(Set<String> inputs) {
        long longest = inputs.stream()
                .filter(name -> name.toLowerCase(Locale.ROOT).contains("position"))
                .mapToLong(name -> of(name).orElse(Long.MAX_VALUE))
                .min()
                .orElse(Long.MAX_VALUE);
        for (NodeProto node : Set.copyOf(writers.values())) {
            longest = Math.min(longest, longestSequence(node, inputs));
        }
        return longest == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(longest);
    }

    private long longestSequence(NodeProto node, Set<String> inputs) {
        TensorProto table = node.getInputCount() > 0 ? constant(node.getInput(0)) : null;
        if (node.getOpType().equals("EmbedLayerNormalization") && node.getInputCount() > 3) {
            TensorProto positions = constant(node.getInput(3));
            return positions == null || positions.getDimsCount() == 0 ? Long.MAX_VALUE : positions.getDims(0);
        }
        if (table == null || table.getDimsCount() == 0) {
            return Long.MAX_VALUE;
        }
        if (node.getOpType().equals("Slice") && node.getInputCount() > 2 && constant(node.getInput(2)) == null) {
            return slicedSize(node, table);
        }
        boolean looksUp = node.getOpType().equals("Gather")
                && node.getInputCount() > 1
                && table.getDimsCount() == 2
                && attribute(node, "axis") == 0
                && constant(node.getInput(1)) == null;
        return looksUp && !comesFrom(node.getInput(1), inputs) ? table.getDims(0) : Long.MAX_VALUE;
    }

    /** The size of the first axis that is cut at a computed place. */
    private long slicedSize(NodeProto node, TensorProto table) {
        NodeProto ends = writers.get(node.getInput(2));
        boolean several = ends != null && ends.getOpType().equals("Concat");
        long[] axes = node.getInputCount() > 3
                ? numbers(node.getInput(3))
                : LongStream.range(0, table.getDimsCount()).toArray();
        for (int i = 0; i < axes.length; i++) {
            boolean computed = several && ends != null && axes.length == ends.getInputCount()
                    ? constant(ends.getInput(i)) == null
                    : axes.length == 1;
            long axis = axes[i] < 0 ? axes[i] + table.getDimsCount() : axes[i];
            if (computed && axis >= 0 && axis < table.getDimsCount()) {
                return table.getDims((int) axis);
            }
        }
        return Long.MAX_VALUE;
    }

    /** Whether numbers of an input, and not only its size, reach a value. */
    private boolean comesFrom(String value, Set<String> inputs) {
        Deque<String> open = new ArrayDeque<>(List.of(value));
        Set<String> seen = new HashSet<>(open);
        while (!open.isEmpty()) {
            String next = open.remove();
            if (inputs.contains(next)) {
                return true;
            }
            NodeProto writer = writers.get(next);
            if (writer != null && !writer.getOpType().equals("Shape")) {
                writer.getInputList().stream().filter(seen::add).forEach(open::add);
            }
        }
        return false;
    }
}
