package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.TensorShapeProto.Dimension;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.jspecify.annotations.Nullable;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.TensorInfo;
import org.tensorflow.framework.TensorShapeProto;

/**
 * What callers give to a graph. TensorFlow does not say which open sizes are the same one; the first axis is taken to be
 * the batch in all inputs, and the second of the usual inputs of text models to be the sequence.
 */
final class Inputs {
    private static final Set<String> TEXT = Set.of(
            "input_ids",
            "input_word_ids",
            "input_mask",
            "attention_mask",
            "segment_ids",
            "token_type_ids",
            "input_type_ids");

    private Inputs() {}

    /** Declares the input that a Placeholder is, and returns its name. */
    static String add(GraphProto.Builder graph, TensorFlowNode placeholder, String name) {
        AttrValue shape = placeholder.attribute("shape");
        AttrValue found = placeholder.attribute("_output_shapes");
        TensorShapeProto sizes = shape == null
                ? TensorShapeProto.newBuilder().setUnknownRank(true).build()
                : shape.getShape();
        if (sizes.getUnknownRank() && found != null && found.getList().getShapeCount() > 0) {
            sizes = found.getList().getShape(0);
        }
        graph.addInput(declared(name, placeholder.type("dtype", DataType.DT_FLOAT), sizes));
        return name;
    }

    /** Declares an output as the signature does, or by its name only. */
    static ValueInfoProto output(String name, @Nullable TensorInfo info) {
        return info == null || info.getTensorShape().getUnknownRank()
                ? ValueInfoProto.newBuilder().setName(name).build()
                : declared(name, info.getDtype(), info.getTensorShape());
    }

    /**
     * Declares an input.
     *
     * @throws InvalidInputException if its number of axes or its type cannot be imported
     */
    static ValueInfoProto declared(String name, DataType type, TensorShapeProto shape) {
        if (shape.getUnknownRank()) {
            throw new InvalidInputException(
                    "input '" + name + "' has no shape, not even a number of axes; export the model"
                            + " with an input signature such as tf.TensorSpec([None, None], tf.int32)");
        }
        TypeProto.Tensor.Builder tensor =
                TypeProto.Tensor.newBuilder().setElemType(TensorFlowTypes.onnx(type, "input '" + name + "'"));
        for (int axis = 0; axis < shape.getDimCount(); axis++) {
            long size = shape.getDim(axis).getSize();
            Dimension.Builder dim = tensor.getShapeBuilder().addDimBuilder();
            if (size > 0) {
                dim.setDimValue(size);
            } else if (axis == 0) {
                dim.setDimParam("batch");
            } else if (axis == 1 && shape.getDimCount() == 2 && TEXT.contains(name)) {
                dim.setDimParam("sequence");
            } else {
                dim.setDimParam(name + "." + axis);
            }
        }
        tensor.getShapeBuilder();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }
}
