package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * ONNX element types. While importing a value has the exact type of the file, so that whole numbers wrap where those of the
 * file do; the graph holds narrow ones in a wider type, because SameDiff's operators know few types.
 */
public final class OnnxTypes {
    private OnnxTypes() {}

    /**
     * Returns the type of a graph's variables for an ONNX element type: {@link #held} of {@link #exact}.
     *
     * @param what whose type it is, for the message
     * @throws InvalidInputException if the type cannot be held (text, complex, quantised)
     */
    public static DataType toNd4j(int elementType, String what) {
        return held(exact(elementType, what));
    }

    /**
     * Returns the type a value has while importing. Half precision becomes FLOAT, whole numbers keep their width.
     *
     * @param what whose type it is, for the message
     * @throws InvalidInputException if the type cannot be held (text, complex, quantised)
     */
    public static DataType exact(int elementType, String what) {
        TensorProto.DataType type = TensorProto.DataType.forNumber(elementType);
        if (type == null) {
            throw new InvalidInputException(
                    what + " has element type number " + elementType
                            + " (one of ONNX's 8-bit floats, 4-bit integers or newer); floating-point numbers of 16 to 64"
                            + " bits, whole numbers of 8 to 64 bits and truth values can be imported: export the model in one of these");
        }
        return switch (type) {
            case FLOAT, FLOAT16, BFLOAT16 -> DataType.FLOAT;
            case DOUBLE -> DataType.DOUBLE;
            case INT64 -> DataType.LONG;
            case INT32 -> DataType.INT;
            case INT16 -> DataType.SHORT;
            case INT8 -> DataType.BYTE;
            case UINT64 -> DataType.UINT64;
            case UINT32 -> DataType.UINT32;
            case UINT16 -> DataType.UINT16;
            case UINT8 -> DataType.UBYTE;
            case BOOL -> DataType.BOOL;
            default ->
                throw new InvalidInputException(
                        what + " has element type " + type
                                + "; floating-point, whole-number and boolean tensors can be imported: end the model before it");
        };
    }

    /** Returns the type in which the graph holds numbers of a type. */
    public static DataType held(DataType exact) {
        return switch (exact) {
            case SHORT, BYTE, UINT16, UBYTE -> DataType.INT;
            case UINT32, UINT64 -> DataType.LONG;
            default -> exact;
        };
    }

    /** Tells whether the graph holds numbers of a type in a wider one, so that they do not wrap by themselves. */
    public static boolean isNarrow(DataType exact) {
        return held(exact) != exact && exact != DataType.UINT64;
    }

    /** Tells whether a type holds whole numbers. */
    public static boolean isWhole(DataType exact) {
        return held(exact) == DataType.INT || held(exact) == DataType.LONG;
    }

    /** Returns the largest or the lowest number of a type of whole numbers; of UINT64 as far as a LONG holds it. */
    public static long end(DataType exact, boolean largest) {
        return switch (exact) {
            case INT -> largest ? Integer.MAX_VALUE : Integer.MIN_VALUE;
            case SHORT -> largest ? Short.MAX_VALUE : Short.MIN_VALUE;
            case BYTE -> largest ? Byte.MAX_VALUE : Byte.MIN_VALUE;
            case UINT32 -> largest ? 0xffffffffL : 0;
            case UINT16 -> largest ? 0xffff : 0;
            case UBYTE -> largest ? 0xff : 0;
            default -> largest ? Long.MAX_VALUE : Long.MIN_VALUE;
        };
    }

    /** Returns ONNX's number of a type. */
    public static int number(DataType exact) {
        return switch (exact) {
            case DOUBLE -> TensorProto.DataType.DOUBLE_VALUE;
            case LONG -> TensorProto.DataType.INT64_VALUE;
            case INT -> TensorProto.DataType.INT32_VALUE;
            case SHORT -> TensorProto.DataType.INT16_VALUE;
            case BYTE -> TensorProto.DataType.INT8_VALUE;
            case UINT64 -> TensorProto.DataType.UINT64_VALUE;
            case UINT32 -> TensorProto.DataType.UINT32_VALUE;
            case UINT16 -> TensorProto.DataType.UINT16_VALUE;
            case UBYTE -> TensorProto.DataType.UINT8_VALUE;
            case BOOL -> TensorProto.DataType.BOOL_VALUE;
            default -> TensorProto.DataType.FLOAT_VALUE;
        };
    }
}
