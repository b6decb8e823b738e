package dev.samediff.importer;

import dev.samediff.importer.Numbers.Span;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.ValueInfoProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What numbers the values of a graph can be at given sizes of its inputs, by interval arithmetic: positions counted from
 * sizes, from masks (cumulative sums of ones), clamped ones, buckets. Values that follow from data are unknown.
 */
final class NumberRanges {
    private static final int DEEPEST = 400;
    private static final int MOST_ELEMENTS = 64;

    private final GraphIndex graph;
    private final OpenSizes sizes;
    private final Map<String, Long> symbols;
    private final long tokens;
    private final Map<String, Numbers> found = new HashMap<>();

    /**
     * Starts with the sizes of the inputs.
     *
     * @param symbols sizes of the inputs' open dimensions
     * @param tokens what sizes that are not known are at most
     */
    NumberRanges(GraphIndex graph, OpenSizes sizes, Map<String, Long> symbols, long tokens) {
        this.graph = graph;
        this.sizes = sizes;
        this.symbols = symbols;
        this.tokens = tokens;
        graph.inputs().forEach(input -> found.put(input.getName(), input(input)));
    }

    /** Returns how many tokens the text has. */
    double tokens() {
        return tokens;
    }

    private Numbers input(ValueInfoProto input) {
        DataType type =
                OnnxTypes.toNd4j(input.getType().getTensorType().getElemType(), "input '" + input.getName() + "'");
        String name = input.getName().toLowerCase(Locale.ROOT);
        if (type == DataType.BOOL || (name.contains("mask") && !type.isFPType())) {
            return Numbers.TRUTHS;
        }
        return name.contains("position") && !type.isFPType() ? Numbers.of(new Span(0, tokens - 1.0)) : Numbers.UNKNOWN;
    }

    /** What a value can be. */
    Numbers of(String value) {
        return of(value, 0);
    }

    private Numbers of(String value, int depth) {
        Numbers known = found.get(value);
        if (known != null) {
            return known;
        }
        found.put(value, Numbers.UNKNOWN); // for circles
        Numbers numbers = compute(value, depth);
        found.put(value, numbers);
        return numbers;
    }

    private Numbers compute(String value, int depth) {
        TensorProto stored = graph.constant(value);
        if (stored != null) {
            double[] numbers = GraphIndex.numbers(stored);
            return numbers == null || numbers.length == 0 ? Numbers.UNKNOWN : stored(numbers);
        }
        NodeProto writer = graph.writer(value);
        return writer == null || depth > DEEPEST ? Numbers.UNKNOWN : node(new OnnxNode(writer), depth + 1);
    }

    private static Numbers stored(double[] numbers) {
        if (numbers.length > MOST_ELEMENTS) {
            return Numbers.of(Span.of(numbers));
        }
        List<Span> each = new ArrayList<>();
        for (double number : numbers) {
            each.add(Span.of(number));
        }
        return Numbers.of(each);
    }

    private Numbers node(OnnxNode node, int depth) {
        return switch (node.operator()) {
            case "Shape" -> shape(node);
            case "Size" -> Numbers.of(new Span(0, count(node.input(0))));
            case "ConstantOfShape" -> filled(node);
            case "Identity", "Reshape", "Squeeze", "Unsqueeze", "Cast", "Flatten" -> of(node.input(0), depth);
            case "Expand", "Tile", "Transpose", "ReduceMax", "ReduceMin", "Compress" -> Numbers.of(in(node, 0, depth));
            case "Trilu", "Pad" -> Numbers.of(in(node, 0, depth).with(Span.of(0)));
            case "Gather" -> picked(node, depth);
            case "Slice" -> sliced(node, depth);
            case "Concat" -> joined(node, depth);
            case "Range" -> range(node, depth);
            case "Where" -> new ChoiceOfRanges(graph, value -> of(value, depth)).where(node);
            case "ScatterND", "ScatterElements", "Scatter" ->
                Numbers.of(in(node, 0, depth).with(in(node, 2, depth)));
            case "CumSum" -> summed(in(node, 0, depth), axis(node));
            case "ReduceSum" -> summed(in(node, 0, depth), count(node.input(0)));
            case "Equal",
                    "Less",
                    "LessOrEqual",
                    "Greater",
                    "GreaterOrEqual",
                    "Not",
                    "And",
                    "Or",
                    "Xor",
                    "IsNaN",
                    "IsInf" -> Numbers.TRUTHS;
            default -> new RangeArithmetic(value -> of(value, depth)).of(node);
        };
    }

    private Span in(OnnxNode node, int index, int depth) {
        return node.input(index).isEmpty()
                ? Span.ANY
                : of(node.input(index), depth).all();
    }

    /** The sum of at most so many of these. */
    private static Numbers summed(Span one, double count) {
        return Numbers.of(new Span(
                Math.min(one.low(), RangeArithmetic.times(one.low(), count)),
                Math.max(one.high(), RangeArithmetic.times(one.high(), count))));
    }

    private Numbers shape(OnnxNode node) {
        List<Dim> dims = sizes.of(node.input(0));
        if (dims == null) {
            return Numbers.of(new Span(0, tokens));
        }
        int start = (int) Math.min(dims.size(), positive(node.integer("start", 0), dims.size()));
        int end = (int) Math.min(dims.size(), positive(node.integer("end", dims.size()), dims.size()));
        List<Span> each = new ArrayList<>();
        dims.subList(start, Math.max(start, end)).forEach(dim -> each.add(size(dim)));
        return Numbers.of(each);
    }

    private static long positive(long axis, int rank) {
        return Math.max(0, axis < 0 ? axis + rank : axis);
    }

    private Span size(Dim dim) {
        OptionalLong size = sizes.number(dim, symbols);
        return size.isPresent() ? Span.of(size.getAsLong()) : new Span(0, tokens);
    }

    /** How many elements a tensor has at most. */
    private double count(String value) {
        List<Dim> dims = sizes.of(value);
        return dims == null
                ? Double.POSITIVE_INFINITY
                : dims.stream().mapToDouble(dim -> size(dim).high()).reduce(1, (a, b) -> a * b);
    }

    /** The size of the axis that a cumulative sum goes along; the number of tokens if it is not known. */
    private double axis(OnnxNode node) {
        List<Dim> dims = sizes.of(node.input(0));
        long[] axis = graph.wholes(node.input(1));
        if (dims == null || axis.length != 1 || positive(axis[0], dims.size()) >= dims.size()) {
            return tokens;
        }
        return size(dims.get((int) positive(axis[0], dims.size()))).high();
    }

    private Numbers filled(OnnxNode node) {
        TensorProto value = node.tensor("value");
        double @Nullable [] numbers = value == null ? new double[] {0} : GraphIndex.numbers(value);
        return numbers == null || numbers.length == 0 ? Numbers.UNKNOWN : Numbers.of(Span.of(numbers));
    }

    private Numbers picked(OnnxNode node, int depth) {
        Numbers from = of(node.input(0), depth);
        long[] places = graph.wholes(node.input(1));
        if (from.each() == null || places.length == 0 || places.length > MOST_ELEMENTS) {
            return Numbers.of(from.all());
        }
        List<Span> each = new ArrayList<>();
        for (long place : places) {
            each.add(from.at((int) positive(place, from.each().size())));
        }
        return Numbers.of(each);
    }

    private Numbers sliced(OnnxNode node, int depth) {
        Numbers from = of(node.input(0), depth);
        long[] starts = node.has("starts") ? node.integers("starts") : graph.wholes(node.input(1));
        long[] ends = node.has("ends") ? node.integers("ends") : graph.wholes(node.input(2));
        boolean steps = !node.input(4).isEmpty();
        if (from.each() == null || starts == null || ends == null || starts.length != 1 || ends.length != 1 || steps) {
            return Numbers.of(from.all());
        }
        int size = from.each().size();
        int start = (int) Math.min(size, positive(starts[0], size));
        int end = (int) Math.min(size, positive(ends[0], size));
        return start < end ? Numbers.of(from.each().subList(start, end)) : Numbers.of(from.all());
    }

    private Numbers joined(OnnxNode node, int depth) {
        List<Span> each = new ArrayList<>();
        Span all = null;
        boolean complete = true;
        for (String input : node.inputs()) {
            Numbers part = of(input, depth);
            all = all == null ? part.all() : all.with(part.all());
            complete &= part.each() != null && each.size() + part.each().size() <= MOST_ELEMENTS;
            if (complete && part.each() != null) {
                each.addAll(part.each());
            }
        }
        return complete && !each.isEmpty() ? Numbers.of(each) : Numbers.of(all == null ? Span.ANY : all);
    }

    private Numbers range(OnnxNode node, int depth) {
        Span start = in(node, 0, depth);
        Span limit = in(node, 1, depth);
        Span step = in(node, 2, depth);
        if (step.low() > 0) {
            return Numbers.of(new Span(start.low(), Math.max(start.low(), limit.high() - Math.min(1, step.low()))));
        }
        return step.high() < 0
                ? Numbers.of(new Span(Math.min(start.high(), limit.low() + Math.min(1, -step.high())), start.high()))
                : Numbers.of(start.with(limit));
    }
}
