package dev.samediff.importer.onnx;

import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;

/** Unsqueeze, which names its axes in an attribute before operator set 13 and in an input since. */
final class NewAxis {
    private static final int AS_INPUT = 13;

    private NewAxis() {}

    /**
     * Returns a node that gives a value one more axis.
     *
     * @param graph takes the axis if it is an input
     */
    static NodeProto of(String value, long axis, String output, int opset, GraphProto.Builder graph) {
        NodeProto.Builder node = NodeProto.newBuilder()
                .setOpType("Unsqueeze")
                .setName(output + "/Unsqueeze")
                .addInput(value)
                .addOutput(output);
        if (opset < AS_INPUT) {
            return node.addAttribute(AttributeProto.newBuilder()
                            .setName("axes")
                            .setType(AttributeProto.AttributeType.INTS)
                            .addInts(axis))
                    .build();
        }
        graph.addInitializer(TensorProto.newBuilder()
                .setName(output + "/axes")
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(1)
                .addInt64Data(axis));
        return node.addInput(output + "/axes").build();
    }
}
