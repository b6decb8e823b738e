package dev.samediff.importer.onnx;

import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/**
 * Replaces lists of tensors that are taken apart at once by plain tensors: torch's dynamo exporter writes {@code split} as
 * SplitToSequence and SequenceAt, {@code cat} of a list as SequenceConstruct and ConcatFromSequence, and loops over lists, whose
 * turns are known, end as SequenceEmpty and SequenceInsert.
 */
final class PlainSequences {
    private static final Set<String> LISTS = Set.of("SplitToSequence", "SequenceConstruct", "SequenceEmpty");

    private final GraphRewriting graph;

    private PlainSequences(GraphProto source) {
        this.graph = new GraphRewriting(source);
    }

    /** Returns the model without such lists; lists of another kind stay, and are refused by name. */
    static ModelProto replaced(ModelProto model) {
        boolean lists = model.getGraph().getNodeList().stream().anyMatch(node -> LISTS.contains(node.getOpType()));
        if (!lists) {
            return model;
        }
        PlainSequences sequences = new PlainSequences(model.getGraph());
        sequences.graph.source().forEach(sequences::look);
        return model.toBuilder().setGraph(sequences.graph.result()).build();
    }

    /** Returns the whole numbers that tell how lists are made and taken apart, as far as they are computed. */
    static Set<String> open(ModelProto model) {
        Set<String> open = new TreeSet<>();
        GraphRewriting graph = new GraphRewriting(model.getGraph());
        for (NodeProto node : model.getGraph().getNodeList()) {
            int place = number(node);
            if (place > 0
                    && place < node.getInputCount()
                    && !node.getInput(place).isEmpty()) {
                open.add(node.getInput(place));
            }
        }
        open.removeIf(graph::isStored);
        return open;
    }

    /** Returns the model with known numbers stored where lists are made and taken apart. */
    static ModelProto numbered(ModelProto model, Map<String, HostTensor> known) {
        GraphRewriting graph = new GraphRewriting(model.getGraph());
        for (NodeProto node : model.getGraph().getNodeList()) {
            int place = number(node);
            HostTensor numbers = place > 0 && place < node.getInputCount() ? known.get(node.getInput(place)) : null;
            if (numbers == null) {
                graph.keep(node);
                continue;
            }
            TensorProto.Builder tensor = TensorProto.newBuilder()
                    .setName(graph.fresh(node.getInput(place) + "/known"))
                    .setDataType(TensorProto.DataType.INT64_VALUE);
            for (long size : numbers.shape()) {
                tensor.addDims(size);
            }
            for (long number : numbers.asLongs()) {
                tensor.addInt64Data(number);
            }
            graph.keep(node.toBuilder()
                    .setInput(place, graph.store(tensor.build()))
                    .build());
        }
        return model.toBuilder().setGraph(graph.result()).build();
    }

    /** Which input of a node is such a number; 0 if none is. */
    private static int number(NodeProto node) {
        return switch (node.getOpType()) {
            case "SplitToSequence", "SequenceAt" -> 1;
            case "SequenceInsert" -> 2;
            default -> 0;
        };
    }

    private void look(NodeProto proto) {
        OnnxNode node = new OnnxNode(proto);
        OnnxNode list = list(node.input(0));
        boolean split = list != null && list.operator().equals("SplitToSequence");
        boolean done = list != null
                && switch (node.operator()) {
                    case "SequenceAt" -> split ? part(node, list) : element(node, elements(list));
                    case "ConcatFromSequence" ->
                        node.integer("new_axis", 0) == 0 && (split ? whole(node, list) : concat(node, elements(list)));
                    default -> false;
                };
        if (!done) {
            graph.keep(proto);
        }
    }

    /** The node that makes a list, behind what hands it on. */
    private @Nullable OnnxNode list(String value) {
        OnnxNode writer = graph.writer(value);
        for (int i = 0; i < TensorReaders.LONGEST_CHAIN && writer != null; i++) {
            if (!writer.operator().equals("Identity")) {
                return writer;
            }
            writer = graph.writer(writer.input(0));
        }
        return null;
    }

    /** The tensors in a list, if that is known. */
    private @Nullable List<String> elements(@Nullable OnnxNode list) {
        List<OnnxNode> inserted = new ArrayList<>();
        OnnxNode start = list;
        while (start != null && start.operator().equals("SequenceInsert")) {
            inserted.add(0, start);
            start = list(start.input(0));
        }
        if (start == null
                || !(start.operator().equals("SequenceConstruct")
                        || start.operator().equals("SequenceEmpty"))) {
            return null;
        }
        List<String> elements = new ArrayList<>(start.inputs());
        for (OnnxNode insert : inserted) {
            long[] at = insert.input(2).isEmpty() ? new long[] {elements.size()} : numbers(insert.input(2));
            long place = at == null || at.length != 1 ? -1 : at[0] < 0 ? at[0] + elements.size() : at[0];
            if (place < 0 || place > elements.size()) {
                return null;
            }
            elements.add((int) place, insert.input(1));
        }
        return elements;
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

    private boolean element(OnnxNode node, @Nullable List<String> list) {
        long[] at = numbers(node.input(1));
        if (at == null || at.length != 1 || list == null) {
            return false;
        }
        long place = at[0] < 0 ? at[0] + list.size() : at[0];
        if (place < 0 || place >= list.size()) {
            return false;
        }
        graph.emit("Identity", node.name(), List.of(), node.output(0), list.get((int) place));
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

    private boolean concat(OnnxNode node, @Nullable List<String> list) {
        if (list == null || list.isEmpty()) {
            return false;
        }
        List<AttributeProto> axis = new ArrayList<>(List.of(GraphRewriting.attribute("axis", node.integer("axis", 0))));
        graph.emit("Concat", node.name(), axis, node.output(0), list.toArray(new String[0]));
        return true;
    }
}
