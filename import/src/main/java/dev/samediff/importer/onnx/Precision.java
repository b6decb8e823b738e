package dev.samediff.importer.onnx;

import java.util.List;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;

/** Rewrites the attributes of a model that name a floating-point type, so that the whole graph computes in one. */
final class Precision {
    private Precision() {}

    /** Returns the model with every floating-point type that an attribute names replaced; stored tensors stay. */
    static ModelProto of(ModelProto model, DataType floats) {
        int to = floats == DataType.DOUBLE ? TensorProto.DataType.DOUBLE_VALUE : TensorProto.DataType.FLOAT_VALUE;
        GraphProto.Builder graph = model.getGraph().toBuilder();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            switch (graph.getNode(i).getOpType()) {
                case "Cast" -> cast(graph.getNodeBuilder(i), "to", to);
                case "EyeLike" -> cast(graph.getNodeBuilder(i), "dtype", to);
                case "Constant", "ConstantOfShape" -> constant(graph.getNodeBuilder(i), to);
                default -> {
                    // other operators take their type from their inputs
                }
            }
        }
        return model.toBuilder().setGraph(graph).build();
    }

    private static void cast(NodeProto.Builder node, String attribute, int to) {
        node.getAttributeBuilderList().stream()
                .filter(each -> each.getName().equals(attribute) && isFloating((int) each.getI()))
                .forEach(each -> each.setI(to));
    }

    private static void constant(NodeProto.Builder node, int to) {
        for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
            switch (attribute.getName()) {
                case "value_float" -> replace(attribute, List.of((double) attribute.getF()), List.of(), to);
                case "value_floats" ->
                    replace(
                            attribute,
                            attribute.getFloatsList().stream()
                                    .map(Float::doubleValue)
                                    .toList(),
                            List.of((long) attribute.getFloatsCount()),
                            to);
                case "value" -> {
                    boolean fills = node.getOpType().equals("ConstantOfShape");
                    if (fills && isFloating(attribute.getT().getDataType())) {
                        double value = OnnxTensor.inline("the value of node " + node.getName(), attribute.getT())
                                .asDouble(0);
                        replace(attribute, List.of(value), List.of(1L), to);
                    }
                }
                default -> {
                    // whole numbers
                }
            }
        }
    }

    private static void replace(AttributeProto.Builder attribute, List<Double> values, List<Long> shape, int to) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setDataType(to).addAllDims(shape);
        for (double value : values) {
            if (to == TensorProto.DataType.DOUBLE_VALUE) {
                tensor.addDoubleData(value);
            } else {
                tensor.addFloatData((float) value);
            }
        }
        attribute
                .clear()
                .setName("value")
                .setType(AttributeProto.AttributeType.TENSOR)
                .setT(tensor);
    }

    private static boolean isFloating(int type) {
        return switch (type) {
            case TensorProto.DataType.FLOAT_VALUE,
                    TensorProto.DataType.FLOAT16_VALUE,
                    TensorProto.DataType.BFLOAT16_VALUE,
                    TensorProto.DataType.DOUBLE_VALUE -> true;
            default -> false;
        };
    }
}
