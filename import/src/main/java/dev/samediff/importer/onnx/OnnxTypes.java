package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;

/** ONNX element types and the ND4J types that hold them. */
public final class OnnxTypes {
    private OnnxTypes() {}

    /**
     * Returns the ND4J type for an ONNX element type. Half precision becomes FLOAT; small and unsigned whole numbers
     * become INT or LONG.
     *
     * @param what whose type it is, for the message
     * @throws InvalidInputException if the type cannot be held (text, complex, quantised)
     */
    public static DataType toNd4j(int elementType, String what) {
        TensorProto.DataType type = TensorProto.DataType.forNumber(elementType);
        if (type == null) {
            throw new InvalidInputException(what + " has element type number " + elementType
                    + " (one of ONNX's 8-bit floats, 4-bit integers or newer); floating-point numbers of 16 to 64"
                    + " bits, whole numbers of 8 to 64 bits and truth values can be imported");
        }
        return switch (type) {
            case FLOAT, FLOAT16, BFLOAT16 -> DataType.FLOAT;
            case DOUBLE -> DataType.DOUBLE;
            case INT64, UINT32, UINT64 -> DataType.LONG;
            case INT32, INT16, INT8, UINT8, UINT16 -> DataType.INT;
            case BOOL -> DataType.BOOL;
            default ->
                throw new InvalidInputException(what + " has element type " + type
                        + "; floating-point, whole-number and boolean tensors can be imported");
        };
    }
}
