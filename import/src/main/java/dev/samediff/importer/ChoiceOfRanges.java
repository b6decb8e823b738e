package dev.samediff.importer;

import dev.samediff.importer.Numbers.Span;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.function.Function;
import onnx.Onnx.NodeProto;

/**
 * What {@code Where(condition, a, b)} can be: a chosen number obeys the condition if that compares it, as the nearer
 * distances of relative positions do ({@code Where(d < 16, d, 16 + log(d / 16))}).
 *
 * @param graph the graph
 * @param ranges what values can be
 */
record ChoiceOfRanges(GraphIndex graph, Function<String, Numbers> ranges) {
    Numbers where(OnnxNode node) {
        return Numbers.of(branch(node.input(1), node.input(0), true).with(branch(node.input(2), node.input(0), false)));
    }

    private Span branch(String value, String condition, boolean holds) {
        Span span = ranges.apply(value).all();
        NodeProto writer = graph.writer(graph.source(condition));
        boolean truth = holds;
        while (writer != null && writer.getOpType().equals("Not")) {
            truth = !truth;
            writer = graph.writer(graph.source(writer.getInput(0)));
        }
        if (writer == null || writer.getInputCount() != 2) {
            return span;
        }
        return switch (writer.getOpType()) {
            case "Less", "LessOrEqual" -> compared(span, value, writer.getInput(0), writer.getInput(1), truth);
            case "Greater", "GreaterOrEqual" -> compared(span, value, writer.getInput(1), writer.getInput(0), truth);
            default -> span;
        };
    }

    /** A span of a number that is one side of {@code small < large}, or of its contrary. */
    private Span compared(Span span, String value, String small, String large, boolean holds) {
        String source = graph.source(value);
        boolean isSmall = source.equals(graph.source(small));
        if (!isSmall && !source.equals(graph.source(large))) {
            return span;
        }
        Span other = ranges.apply(isSmall ? large : small).all();
        return isSmall == holds
                ? new Span(Math.min(span.low(), other.high()), Math.min(span.high(), other.high()))
                : new Span(Math.max(span.low(), other.low()), Math.max(span.high(), other.low()));
    }
}
