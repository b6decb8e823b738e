package dev.samediff.adapters.engine.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Numbers of every type as bytes. */
final class Encoding {
    private Encoding() {}

    /** Returns the numbers of an array in row-major order, in its type. */
    static ByteBuffer encode(INDArray array) {
        DataType type = array.dataType();
        double[] numbers = Nd4jMath.values(array.shape(), array).data();
        ByteBuffer bytes = ByteBuffer.allocate(numbers.length * type.width()).order(ByteOrder.nativeOrder());
        for (int i = 0; i < numbers.length; i++) {
            put(type, bytes, i * type.width(), numbers[i]);
        }
        return bytes;
    }

    static double get(DataType type, ByteBuffer bytes, int at) {
        return switch (type) {
            case FLOAT -> bytes.getFloat(at);
            case DOUBLE -> bytes.getDouble(at);
            case BFLOAT16 -> Float.intBitsToFloat(bytes.getShort(at) << 16);
            case INT -> bytes.getInt(at);
            case LONG -> bytes.getLong(at);
            case SHORT -> bytes.getShort(at);
            case BYTE -> bytes.get(at);
            case UBYTE -> bytes.get(at) & 0xFF;
            case BOOL -> bytes.get(at) == 0 ? 0 : 1;
            default -> throw unknown(type);
        };
    }

    /** Rounds to the nearest number of a floating point type, to the even one in the middle; to whole numbers towards 0. */
    static void put(DataType type, ByteBuffer bytes, int at, double number) {
        switch (type) {
            case FLOAT -> bytes.putFloat(at, (float) number);
            case DOUBLE -> bytes.putDouble(at, number);
            case BFLOAT16 ->
                bytes.putShort(at, (short) (Float.floatToRawIntBits((float) OpMath.bfloat16(number)) >>> 16));
            case INT -> bytes.putInt(at, (int) number);
            case LONG -> bytes.putLong(at, (long) number);
            case SHORT -> bytes.putShort(at, (short) number);
            case BYTE, UBYTE -> bytes.put(at, (byte) number);
            case BOOL -> bytes.put(at, (byte) (number == 0 ? 0 : 1));
            default -> throw unknown(type);
        }
    }

    private static IllegalStateException unknown(DataType type) {
        return new IllegalStateException("loops compute with whole numbers, FLOAT, DOUBLE and BFLOAT16, not " + type);
    }
}
