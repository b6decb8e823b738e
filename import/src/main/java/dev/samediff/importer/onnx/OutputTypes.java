package dev.samediff.importer.onnx;

import dev.samediff.importer.tensor.Dim;
import java.util.List;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;

/**
 * Declares outputs whose types and sizes were found out while importing: ONNX asks for both, and a graph translated from
 * TensorFlow has neither.
 */
public final class OutputTypes {
    private OutputTypes() {}

    /** Returns the model with the outputs declared that had no type; a model of half precision is left as it is. */
    public static ModelProto declared(ModelProto model, List<OnnxInput> outputs) {
        boolean half = model.getGraph().getInitializerList().stream()
                .anyMatch(tensor -> tensor.getDataType() == TensorProto.DataType.FLOAT16_VALUE
                        || tensor.getDataType() == TensorProto.DataType.BFLOAT16_VALUE);
        boolean complete = model.getGraph().getOutputList().stream().allMatch(ValueInfoProto::hasType);
        if (half || complete) {
            return model;
        }
        ModelProto.Builder declared = model.toBuilder();
        GraphProto.Builder graph = declared.getGraphBuilder();
        for (int i = 0; i < graph.getOutputCount(); i++) {
            OnnxInput found = outputs.get(i);
            if (!graph.getOutput(i).hasType()) {
                graph.getOutputBuilder(i).setType(type(found));
            }
        }
        return declared.build();
    }

    private static TypeProto type(OnnxInput found) {
        TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder()
                .setElemType(OnnxTypes.number(found.type()));
        tensor.getShapeBuilder();
        for (Dim dim : found.dims()) {
            if (dim.isKnown()) {
                tensor.getShapeBuilder().addDimBuilder().setDimValue(dim.known());
            } else {
                tensor.getShapeBuilder()
                        .addDimBuilder()
                        .setDimParam(dim.asSymbol()
                                .filter(name -> !name.startsWith("?"))
                                .orElse(""));
            }
        }
        return TypeProto.newBuilder().setTensorType(tensor).build();
    }
}
