package dev.samediff.importer.folding;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.onnx.OnnxTypes;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;

/** What a ConstantOfShape node fills with. */
public record Fill(DataType type, double value) {
    /** Reads the node's attribute; zeros of type FLOAT without it. */
    public static Fill of(OnnxNode node) {
        TensorProto proto = node.tensor("value");
        if (proto == null) {
            return new Fill(DataType.FLOAT, 0);
        }
        DataType type = OnnxTypes.toNd4j(proto.getDataType(), node.toString());
        return new Fill(type, OnnxTensor.inline(node.toString(), proto).asDouble(0));
    }
}
