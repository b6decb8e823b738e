package dev.samediff.importer.onnx;

import java.util.ArrayList;
import java.util.List;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/**
 * Replaces lists of tensors that are taken apart at once by plain tensors: torch's dynamo exporter writes {@code split} as
 * SplitToSequence and SequenceAt, and {@code cat} of a list as SequenceConstruct and ConcatFromSequence.
 */
final class PlainSequences {
    private final GraphRewriting graph;

    private PlainSequences(GraphProto source) {
        this.graph = new GraphRewriting(source);
    }

    /** Returns the model without such lists; lists of another kind stay, and are refused by name. */
    static ModelProto replaced(ModelProto model) {
        boolean lists = model.getGraph().getNodeList().stream()
                .anyMatch(node -> node.getOpType().equals("SplitToSequence")
                        || node.getOpType().equals("SequenceConstruct"));
        if (!lists) {
            return model;
        }
        PlainSequences sequences = new PlainSequences(model.getGraph());
        sequences.graph.source().forEach(sequences::look);
        return model.toBuilder().setGraph(sequences.graph.result()).build();
    }

    private void look(NodeProto proto) {
        OnnxNode node = new OnnxNode(proto);
        OnnxNode list = graph.writer(node.input(0));
        boolean done = list != null
                && switch (node.operator()) {
                    case "SequenceAt" ->
                        list.operator().equals("SplitToSequence")
                                ? part(node, list)
                                : list.operator().equals("SequenceConstruct") && element(node, list);
                    case "ConcatFromSequence" ->
                        node.integer("new_axis", 0) == 0
                                && (list.operator().equals("SequenceConstruct")
                                        ? concat(node, list)
                                        : list.operator().equals("SplitToSequence") && whole(node, list));
                    default -> false;
                };
        if (!done) {
            graph.keep(proto);
        }
    }

    private long @Nullable [] numbers(String value) {
        TensorProto tensor = graph.stored(value);
        return tensor == null ? null : OnnxTensor.inline(value, tensor).asLongs();
    }

    /** One part of a split, as a slice: the parts before it tell where it begins. */
    private boolean part(OnnxNode node, OnnxNode split) {
        long[] at = numbers(node.input(1));
        boolean single = split.input(1).isEmpty();
        long[] sizes = single ? new long[] {1} : numbers(split.input(1));
        if (at == null || at.length != 1 || sizes == null || sizes.length == 0) {
            return false;
        }
        TensorProto given = graph.stored(split.input(1));
        boolean equal = single || given == null || given.getDimsCount() == 0;
        long place = at[0] < 0 && !equal ? at[0] + sizes.length : at[0];
        boolean fromEnd = place < 0 && single; // of parts of one element it is known where the last one is
        if ((place < 0 && !fromEnd) || (!equal && place >= sizes.length)) {
            return false;
        }
        long start = fromEnd ? place : 0;
        for (int i = 0; i < place; i++) {
            start += sizes[equal ? 0 : i];
        }
        long end = fromEnd && place == -1 ? Long.MAX_VALUE : start + sizes[equal ? 0 : (int) place];
        String output = node.output(0);
        String axis = vector(output + "/axis", split.integer("axis", 0));
        String slice = single && split.integer("keepdims", 1) == 0 ? graph.fresh(output + "/part") : output;
        graph.emit(
                "Slice",
                node.name(),
                List.of(),
                slice,
                split.input(0),
                vector(output + "/start", start),
                vector(output + "/end", end),
                axis);
        if (!slice.equals(output)) {
            graph.emit("Squeeze", output, slice, axis);
        }
        return true;
    }

    private String vector(String wanted, long number) {
        return graph.store(TensorProto.newBuilder()
                .setName(graph.fresh(wanted))
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(1)
                .addInt64Data(number)
                .build());
    }

    private boolean element(OnnxNode node, OnnxNode list) {
        long[] at = numbers(node.input(1));
        if (at == null || at.length != 1) {
            return false;
        }
        long place = at[0] < 0 ? at[0] + list.inputs().size() : at[0];
        if (place < 0 || place >= list.inputs().size()) {
            return false;
        }
        graph.emit("Identity", node.name(), List.of(), node.output(0), list.input((int) place));
        return true;
    }

    /** All parts of a split, in their order. */
    private boolean whole(OnnxNode node, OnnxNode split) {
        boolean keepsAxis = !split.input(1).isEmpty() || split.integer("keepdims", 1) != 0;
        if (!keepsAxis || node.integer("axis", 0) != split.integer("axis", 0)) {
            return false;
        }
        graph.emit("Identity", node.name(), List.of(), node.output(0), split.input(0));
        return true;
    }

    private boolean concat(OnnxNode node, OnnxNode list) {
        List<AttributeProto> axis = new ArrayList<>(List.of(GraphRewriting.attribute("axis", node.integer("axis", 0))));
        graph.emit("Concat", node.name(), axis, node.output(0), list.inputs().toArray(new String[0]));
        return true;
    }
}
