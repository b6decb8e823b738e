package dev.samediff.importer;

import dev.samediff.importer.lowering.KnownSizes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.ToDoubleFunction;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;

/**
 * How many tokens a model can see: tables of positions, rotary tables and stored masks end there. What is looked up or
 * where a table is cut is followed as ranges of numbers ({@link NumberRanges}), so that constants that are added to
 * positions count, and clamped numbers such as relative buckets are no positions.
 */
final class TextLimit {
    /** Longer texts than this are not asked about. */
    private static final long LONGEST = 1L << 24;

    private final GraphIndex graph;
    private final OpenSizes sizes;
    private final SizeRoles roles;

    TextLimit(GraphProto proto, KnownSizes known) {
        this.graph = new GraphIndex(proto);
        this.sizes = new OpenSizes(graph, known);
        this.roles = new SizeRoles(graph, known);
    }

    /** A number that must not be larger than another. */
    private record Bound(ToDoubleFunction<NumberRanges> highest, double most) {
        boolean isExceeded(NumberRanges ranges) {
            return highest.applyAsDouble(ranges) > most;
        }
    }

    /** Returns most tokens of a text, those before it included; nothing if the file sets no limit that can be seen. */
    OptionalLong tokens() {
        List<Bound> bounds = new ArrayList<>();
        graph.nodes().forEach(node -> addBounds(node, bounds));
        NumberRanges least = ranges(1);
        NumberRanges most = ranges(LONGEST);
        bounds.removeIf(bound -> bound.isExceeded(least) || !bound.isExceeded(most));
        if (bounds.isEmpty()) {
            return OptionalLong.empty();
        }
        long fits = 1;
        long fails = LONGEST;
        while (fails - fits > 1) {
            long middle = (fits + fails) / 2;
            NumberRanges ranges = ranges(middle);
            if (bounds.stream().anyMatch(bound -> bound.isExceeded(ranges))) {
                fails = middle;
            } else {
                fits = middle;
            }
        }
        return OptionalLong.of(fits);
    }

    private NumberRanges ranges(long tokens) {
        Map<String, Long> symbols = sizes.at(roles.at(InputSizes.ofText(tokens)));
        return new NumberRanges(graph, sizes, symbols, tokens);
    }

    private void addBounds(NodeProto node, List<Bound> bounds) {
        for (IndexBounds.Lookup lookup : IndexBounds.lookups(node)) {
            if (lookup.indices() < node.getInputCount() && lookup.table() < node.getInputCount()) {
                String indices = node.getInput(lookup.indices());
                TensorProto table = graph.constant(node.getInput(lookup.table()));
                if (table != null && table.getDimsCount() > 0) {
                    bounds.add(new Bound(
                            ranges -> ranges.of(indices).all().high(), IndexBounds.height(node, table) - 1.0));
                }
            }
        }
        switch (node.getOpType()) {
            case "EmbedLayerNormalization" -> addHeight(node, 3, bounds);
            case "RotaryEmbedding" -> addHeight(node, node.getDomain().isEmpty() ? 1 : 2, bounds);
            case "GroupQueryAttention" -> addHeight(node, 7, bounds);
            case "Slice" -> addCut(node, bounds);
            default -> {
                // reads no table by position
            }
        }
    }

    /** A fused operator that looks up as many rows as there are tokens. */
    private void addHeight(NodeProto node, int input, List<Bound> bounds) {
        TensorProto table = input < node.getInputCount() ? graph.constant(node.getInput(input)) : null;
        if (table != null && table.getDimsCount() == 2) {
            bounds.add(new Bound(NumberRanges::tokens, table.getDims(0)));
        }
    }

    /** A table that is cut where the text ends. */
    private void addCut(NodeProto node, List<Bound> bounds) {
        TensorProto table = node.getInputCount() > 2 ? graph.constant(node.getInput(0)) : null;
        if (table == null || graph.constant(node.getInput(2)) != null) {
            return;
        }
        long[] axes = node.getInputCount() > 3 && !node.getInput(3).isEmpty() ? graph.wholes(node.getInput(3)) : null;
        int count = axes == null ? table.getDimsCount() : axes.length;
        for (int i = 0; i < count; i++) {
            long axis = axes == null ? i : axes[i] < 0 ? axes[i] + table.getDimsCount() : axes[i];
            if (axis >= 0 && axis < table.getDimsCount()) {
                int place = i;
                bounds.add(new Bound(
                        ranges -> end(ranges.of(node.getInput(2)).at(place).high()), table.getDims((int) axis)));
            }
        }
    }

    /** The largest whole number stands for the end of an axis, wherever it is. */
    private static double end(double high) {
        return high >= Integer.MAX_VALUE ? 0 : high;
    }
}
