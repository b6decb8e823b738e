package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.TensorInfo;
import org.tensorflow.framework.TensorShapeProto;

/**
 * Tensors that a caller gives instead of the nodes that compute them.
 *
 * @param inputs their names, types and shapes by the names of the inputs
 */
record ChosenInputs(Map<String, TensorInfo> inputs) {
    /**
     * Finds the types and shapes of tensors.
     *
     * @param chosen names of tensors, or {@code name=tensor}
     * @throws InvalidInputException if there is no such tensor, or the graph does not say its type and number of axes
     */
    static ChosenInputs of(List<String> chosen, FunctionInlining.Flat flat) {
        Map<String, TensorInfo> inputs = new LinkedHashMap<>();
        for (String given : chosen) {
            int equals = given.indexOf('=');
            String tensor = flat.tensor(given.substring(equals + 1).strip());
            String name = equals < 0 ? tensor : given.substring(0, equals).strip();
            TensorFlowNode node = flat.nodes().get(TensorFlowNode.node(tensor));
            if (node == null) {
                throw new InvalidInputException(
                        "there is no tensor '" + tensor + "' to be given as an input; nodes are "
                                + Names.some(flat.nodes().keySet()));
            }
            if (name.isEmpty() || inputs.put(name, info(node, tensor)) != null) {
                throw new InvalidInputException("the input '" + given + "' has no name of its own; give name=tensor");
            }
        }
        return new ChosenInputs(inputs);
    }

    private static TensorInfo info(TensorFlowNode node, String tensor) {
        int output = TensorFlowNode.output(tensor);
        TensorShapeProto shape = shape(node.attribute("output_shapes"), output);
        if (shape == null) {
            shape = shape(node.attribute("_output_shapes"), output);
        }
        AttrValue placeholder = node.attribute("shape");
        if (shape == null && placeholder != null) {
            shape = placeholder.getShape();
        }
        DataType type = type(node, output);
        if (shape == null || shape.getUnknownRank() || type == DataType.DT_INVALID) {
            throw new InvalidInputException(
                    "the graph does not say the " + (type == DataType.DT_INVALID ? "type" : "shape")
                            + " of tensor '" + tensor + "' (" + node.operator()
                            + "), which is to be an input; name what a data pipeline hands out (IteratorGetNext), or export the"
                            + " model with placeholders");
        }
        return TensorInfo.newBuilder()
                .setName(tensor)
                .setDtype(type)
                .setTensorShape(shape)
                .build();
    }

    private static @Nullable TensorShapeProto shape(@Nullable AttrValue shapes, int output) {
        return shapes != null && output < shapes.getList().getShapeCount()
                ? shapes.getList().getShape(output)
                : null;
    }

    private static DataType type(TensorFlowNode node, int output) {
        AttrValue types = node.attribute("output_types");
        if (types != null && output < types.getList().getTypeCount()) {
            return types.getList().getType(output);
        }
        for (String attribute : new String[] {"dtype", "DstT", "T"}) {
            if (node.attribute(attribute) != null) {
                return node.type(attribute, DataType.DT_INVALID);
            }
        }
        return DataType.DT_INVALID;
    }
}
