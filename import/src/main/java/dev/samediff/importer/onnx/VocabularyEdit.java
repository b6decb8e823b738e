package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.ValueInfoProto;

/**
 * Makes a model's vocabulary another size, in its message.
 *
 * @param size how many tokens there are
 * @param axes the stored tensors that have something for each token, by the names they have in the graph, with the axis of the tokens
 * @param numbers stored whole numbers that have the size among them, once
 * @param nodes nodes that read these, directly or behind others, by the names of their first results
 * @param scores the values that the last layers compute, and everything that is computed from them
 */
public record VocabularyEdit(
        long size, Map<String, Integer> axes, Set<String> numbers, Set<String> nodes, Set<String> scores) {
    /** Copies the collections. */
    public VocabularyEdit {
        axes = Map.copyOf(axes);
        numbers = Set.copyOf(numbers);
        nodes = Set.copyOf(nodes);
        scores = Set.copyOf(scores);
    }

    /**
     * Returns a model with another number of tokens: new ones at the end, each with the mean of those that are there, or fewer.
     *
     * @param file the file
     * @throws InvalidInputException if a tensor is not stored as it is used, or something else reads a number
     */
    ModelProto applied(OnnxFile file, int tokens) {
        ModelProto model = file.model();
        Map<String, Integer> stored = new LinkedHashMap<>();
        axes.forEach((name, axis) -> {
            String original = OnnxWeightEditor.original(name);
            boolean follows = file.computed().containsKey(original)
                    && !file.real().weights().containsKey(original);
            if (!follows) { // of what the file computes, the tensors that it is computed from are resized
                stored.merge(original, axis, (first, second) -> requireSame(original, first, second));
            }
        });
        GraphProto.Builder graph = model.getGraph().toBuilder();
        Map<String, String> copies = numbers(graph, tokens);
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            Integer axis = stored.remove(graph.getInitializer(i).getName());
            if (axis != null) {
                graph.setInitializer(
                        i,
                        resized(
                                graph.getInitializer(i),
                                axis,
                                tokens,
                                file.real().files()));
            }
        }
        for (int i = 0; i < graph.getNodeCount(); i++) {
            NodeProto.Builder node = graph.getNodeBuilder(i);
            Integer axis = node.getOpType().equals("Constant") && node.getOutputCount() > 0
                    ? stored.remove(node.getOutput(0))
                    : null;
            if (axis != null) {
                constant(node, axis, tokens, file.real().files());
            }
            redirect(node, copies);
        }
        if (!stored.isEmpty()) {
            throw new InvalidInputException("the vocabulary of " + size + " tokens cannot be resized: "
                    + stored.keySet() + " are not stored as they are used (quantised, or computed by the file); resize"
                    + " the vocabulary of the model that this one was made from (resize_token_embeddings)");
        }
        declare(graph, tokens);
        return model.toBuilder().setGraph(graph).build();
    }

    /**
     * Checks that all tensors have the size.
     *
     * @param resized the graph of the model that was resized
     * @throws InvalidInputException if one that the file computes does not follow those that it stores
     */
    public void requireIn(OnnxGraph resized, int tokens) {
        axes.forEach((name, axis) -> {
            OnnxTensor tensor = resized.tensor(name);
            if (tensor == null || tensor.shape()[axis] != tokens) {
                throw new InvalidInputException("the vocabulary of " + size + " tokens cannot be resized: `" + name
                        + "`, which the file computes, does not follow it; resize it before the model is exported"
                        + " (resize_token_embeddings)");
            }
        });
    }

    private int requireSame(String tensor, int first, int second) {
        if (first != second) {
            throw new InvalidInputException("the vocabulary of " + size + " tokens cannot be resized: `" + tensor
                    + "` has it along two axes; resize it before the model is exported (resize_token_embeddings)");
        }
        return first;
    }

    private TensorProto resized(TensorProto tensor, int axis, int tokens, ExternalData files) {
        ResizedData data = ResizedData.of(tensor, axis, tokens, files);
        return tensor.toBuilder()
                .setDims(axis, tokens)
                .clearFloatData()
                .clearDoubleData()
                .clearInt32Data()
                .clearRawData()
                .clearExternalData()
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addAllExternalData(ExternalData.reference(files.add(data), 0, data.size()))
                .build();
    }

    private void constant(NodeProto.Builder node, int axis, int tokens, ExternalData files) {
        for (int i = 0; i < node.getAttributeCount(); i++) {
            if (node.getAttribute(i).hasT()) {
                node.getAttributeBuilder(i).setT(resized(node.getAttribute(i).getT(), axis, tokens, files));
            }
        }
    }

    /** Adds copies of the numbers with the new size, and returns their names. */
    private Map<String, String> numbers(GraphProto.Builder graph, int tokens) {
        GraphRewriting source = new GraphRewriting(graph.build());
        Map<String, String> copies = new HashMap<>();
        List<TensorProto> added = new ArrayList<>();
        for (String name : numbers) {
            TensorProto tensor = source.stored(name);
            if (tensor == null) {
                throw new InvalidInputException("the vocabulary of " + size + " tokens cannot be resized: `" + name
                        + "`, which has that number, is no stored tensor; resize it before the model is exported");
            }
            TensorProto.DataType type = TensorProto.DataType.forNumber(tensor.getDataType());
            long[] values = OnnxTensor.inline(name, tensor).asLongs();
            TensorProto.Builder copy = TensorProto.newBuilder()
                    .setName(source.fresh(name + ".resized"))
                    .setDataType(tensor.getDataType())
                    .addAllDims(tensor.getDimsList());
            for (long value : values) {
                long number = value == size ? tokens : value;
                if (type == TensorProto.DataType.INT64) {
                    copy.addInt64Data(number);
                } else {
                    copy.addInt32Data(Math.toIntExact(number));
                }
            }
            added.add(copy.build());
            copies.put(name, copy.getName());
        }
        graph.addAllInitializer(added);
        return copies;
    }

    private void redirect(NodeProto.Builder node, Map<String, String> copies) {
        if (node.getOutputCount() > 0 && nodes.contains(node.getOutput(0))) {
            for (int i = 0; i < node.getInputCount(); i++) {
                node.setInput(i, copies.getOrDefault(node.getInput(i), node.getInput(i)));
            }
        }
    }

    /** Corrects what the file declares of outputs, and leaves out what it says of values between. */
    private void declare(GraphProto.Builder graph, int tokens) {
        for (int i = 0; i < graph.getOutputCount(); i++) {
            if (scores.contains(graph.getOutput(i).getName())) {
                graph.setOutput(i, declared(graph.getOutput(i), tokens));
            }
        }
        List<ValueInfoProto> kept = graph.getValueInfoList().stream()
                .filter(value -> !scores.contains(value.getName()))
                .toList();
        graph.clearValueInfo().addAllValueInfo(kept);
        for (int i = 0; i < graph.getInputCount(); i++) {
            String name = graph.getInput(i).getName();
            Integer axis = axes.get(name);
            if (axis != null) { // an initializer that is listed as an input, as old files have them
                ValueInfoProto.Builder input = graph.getInputBuilder(i);
                input.getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder()
                        .getDimBuilder(axis)
                        .setDimValue(tokens);
            }
        }
    }

    private ValueInfoProto declared(ValueInfoProto output, int tokens) {
        ValueInfoProto.Builder changed = output.toBuilder();
        TensorShapeProto.Builder shape =
                changed.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
        for (int axis = shape.getDimCount() - 1; axis >= 0; axis--) {
            if (shape.getDim(axis).getDimValue() == size) {
                shape.getDimBuilder(axis).setDimValue(tokens);
                return changed.build();
            }
        }
        return output;
    }
}
