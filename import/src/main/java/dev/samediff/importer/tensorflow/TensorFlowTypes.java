package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import onnx.Onnx.TensorProto;
import org.tensorflow.framework.DataType;

/** TensorFlow's element types and ONNX's numbers for them. */
final class TensorFlowTypes {
    private static final int REFERENCE = 100;

    private TensorFlowTypes() {}

    /** Returns the type without the mark of a reference to a variable. */
    static DataType plain(DataType type) {
        return type.getNumber() > REFERENCE ? DataType.forNumber(type.getNumber() - REFERENCE) : type;
    }

    /**
     * Returns ONNX's number of an element type.
     *
     * @param what whose type it is, for the message
     * @throws InvalidInputException if ONNX has no such type, or it holds no numbers
     */
    static int onnx(DataType type, String what) {
        return switch (plain(type)) {
            case DT_FLOAT -> TensorProto.DataType.FLOAT_VALUE;
            case DT_DOUBLE -> TensorProto.DataType.DOUBLE_VALUE;
            case DT_HALF -> TensorProto.DataType.FLOAT16_VALUE;
            case DT_BFLOAT16 -> TensorProto.DataType.BFLOAT16_VALUE;
            case DT_INT64 -> TensorProto.DataType.INT64_VALUE;
            case DT_INT32 -> TensorProto.DataType.INT32_VALUE;
            case DT_INT16 -> TensorProto.DataType.INT16_VALUE;
            case DT_INT8 -> TensorProto.DataType.INT8_VALUE;
            case DT_UINT8 -> TensorProto.DataType.UINT8_VALUE;
            case DT_UINT16 -> TensorProto.DataType.UINT16_VALUE;
            case DT_UINT32 -> TensorProto.DataType.UINT32_VALUE;
            case DT_UINT64 -> TensorProto.DataType.UINT64_VALUE;
            case DT_BOOL -> TensorProto.DataType.BOOL_VALUE;
            default ->
                throw new InvalidInputException(what + " has elements of type " + type
                        + "; floating-point, whole-number and boolean tensors can be imported: cast it, or choose outputs"
                        + " that do not need it");
        };
    }

    /** Returns the number of bytes of one element. */
    static int bytes(DataType type, String what) {
        return switch (onnx(type, what)) {
            case TensorProto.DataType.DOUBLE_VALUE,
                    TensorProto.DataType.INT64_VALUE,
                    TensorProto.DataType.UINT64_VALUE -> 8;
            case TensorProto.DataType.FLOAT_VALUE,
                    TensorProto.DataType.INT32_VALUE,
                    TensorProto.DataType.UINT32_VALUE -> 4;
            case TensorProto.DataType.INT8_VALUE, TensorProto.DataType.UINT8_VALUE, TensorProto.DataType.BOOL_VALUE ->
                1;
            default -> 2;
        };
    }

    /** Tells whether a type holds real numbers. */
    static boolean isFloating(DataType type) {
        return switch (plain(type)) {
            case DT_FLOAT, DT_DOUBLE, DT_HALF, DT_BFLOAT16 -> true;
            default -> false;
        };
    }
}
