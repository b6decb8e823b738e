package dev.samediff.importer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;

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
    record Lookup(int indices, int table) {}

    /** A value that is the input plus a number. */
    private record Shifted(String value, long by) {}

    private final GraphIndex graph;

    IndexBounds(GraphProto graph) {
        this.graph = new GraphIndex(graph);
    }

    /** Where a node has its indices and its tables; nothing if it looks nothing up. */
    static List<Lookup> lookups(NodeProto node) {
        return LOOKUPS.getOrDefault(node.getOpType(), List.of());
    }

    /** Returns the number that every element of the input must be smaller than; nothing if it indexes no table. */
    OptionalLong of(String input) {
        Deque<Shifted> open = new ArrayDeque<>(List.of(new Shifted(input, 0)));
        Set<Shifted> seen = new HashSet<>(open);
        long bound = Long.MAX_VALUE;
        while (!open.isEmpty()) {
            Shifted value = open.remove();
            for (NodeProto node : graph.readers(value.value())) {
                bound = Math.min(bound, lookedUp(node, value));
                long by = value.by() + shift(node, value.value());
                if (passes(node, value.value()) && Math.abs(by) < Integer.MAX_VALUE) {
                    node.getOutputList().stream()
                            .map(output -> new Shifted(output, by))
                            .filter(seen::add)
                            .forEach(open::add);
                }
            }
            if (seen.size() > 4 * graph.size() + 16) {
                break; // numbers that are added to without end
            }
        }
        return bound == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(bound);
    }

    private long lookedUp(NodeProto node, Shifted value) {
        long bound = Long.MAX_VALUE;
        for (Lookup lookup : lookups(node)) {
            boolean indexes = lookup.indices() < node.getInputCount()
                    && node.getInput(lookup.indices()).equals(value.value());
            TensorProto table = indexes && lookup.table() < node.getInputCount()
                    ? graph.constant(node.getInput(lookup.table()))
                    : null;
            if (table != null && table.getDimsCount() > 0) {
                bound = Math.min(bound, height(node, table) - value.by());
            }
        }
        return bound;
    }

    /** How many places a table has along the axis that a node looks up. */
    static long height(NodeProto node, TensorProto table) {
        long axis =
                GraphIndex.attribute(node, node.getOpType().equals("GatherBlockQuantized") ? "gather_axis" : "axis", 0);
        long positive = axis < 0 ? axis + table.getDimsCount() : axis;
        return positive < 0 || positive >= table.getDimsCount() ? Long.MAX_VALUE : table.getDims((int) positive);
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
        long[] numbers = graph.wholes(value);
        return numbers.length == 1 ? OptionalLong.of(numbers[0]) : OptionalLong.empty();
    }
}
