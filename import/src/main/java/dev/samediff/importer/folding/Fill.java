package dev.samediff.importer.folding;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.tensor.HostTensor;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;

/** What a ConstantOfShape node fills with. */
public final class Fill {
    private Fill() {}

    /** Returns the node's one number, as a tensor without axes; a FLOAT zero if it names none. */
    public static HostTensor of(OnnxNode node) {
        TensorProto proto = node.tensor("value");
        return proto == null
                ? HostTensor.filled(DataType.FLOAT, new long[0], 0)
                : OnnxTensor.inline(node.toString(), proto).select(new long[0], new int[1]);
    }
}
