package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.HashMap;
import java.util.Map;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The new numbers of tensors, kept as arrays until the file is written. */
final class NewValues {
    /** Begins the location of tensors whose numbers are arrays; no file can have such a name. */
    private static final String PREFIX = "\0values/";

    private final Map<String, TensorData> byLocation = new HashMap<>();

    /** Returns the tensor with other numbers, which lie at a location of their own. */
    Onnx.TensorProto put(Onnx.TensorProto tensor, INDArray given) {
        if (!WeightChains.isReal(tensor.getDataType())) {
            throw new InvalidInputException("Tensor " + tensor.getName() + " of the ONNX file has type "
                    + Onnx.TensorProto.DataType.forNumber(tensor.getDataType())
                    + "; FLOAT, DOUBLE, FLOAT16 and BFLOAT16 weights can be written");
        }
        String location = PREFIX + byLocation.size();
        byLocation.put(
                location, new TensorData.Values(given, Onnx.TensorProto.DataType.forNumber(tensor.getDataType())));
        return tensor.toBuilder()
                .clearFloatData()
                .clearDoubleData()
                .clearInt32Data()
                .clearRawData()
                .clearExternalData()
                .setDataLocation(Onnx.TensorProto.DataLocation.EXTERNAL)
                .addExternalData(Onnx.StringStringEntryProto.newBuilder()
                        .setKey("location")
                        .setValue(location))
                .build();
    }

    /** Returns the numbers by the {@code location} that their tensors name. */
    Map<String, TensorData> byLocation() {
        return byLocation;
    }
}
