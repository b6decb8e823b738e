package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The numbers behind a stored tensor's bytes, converted a piece at a time: no number is in memory twice.
 *
 * @param what the tensor, for messages
 * @param elementType its type in the file
 * @param data its bytes
 */
record StoredNumbers(String what, TensorProto.DataType elementType, TensorData data) {
    private static final int PIECE = 1 << 18;

    /** Fewer bytes are not worth a file. */
    private static final long LEAST_IN_FILE = 1 << 20;

    /** Returns how many bytes one element takes in raw data, 0 for types without raw data. */
    static int bytesPerElement(TensorProto.DataType type) {
        return switch (type) {
            case FLOAT, INT32, UINT32 -> 4;
            case DOUBLE, INT64, UINT64 -> 8;
            case FLOAT16, BFLOAT16, INT16, UINT16 -> 2;
            case INT8, UINT8, BOOL -> 1;
            default -> 0;
        };
    }

    /** Returns the bytes of a tensor that are in its message: raw, or as numbers in typed fields. */
    static ByteBuffer bytes(TensorProto tensor, TensorProto.DataType type) {
        if (!tensor.getRawData().isEmpty()) {
            return tensor.getRawData().asReadOnlyByteBuffer();
        }
        int count = typedCount(tensor, type);
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(count, bytesPerElement(type)))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            switch (type) {
                case FLOAT -> bytes.putFloat(tensor.getFloatData(i));
                case DOUBLE -> bytes.putDouble(tensor.getDoubleData(i));
                case INT64 -> bytes.putLong(tensor.getInt64Data(i));
                case UINT64 -> bytes.putLong(tensor.getUint64Data(i));
                case UINT32 -> bytes.putInt((int) tensor.getUint64Data(i));
                case INT32 -> bytes.putInt(tensor.getInt32Data(i));
                case INT16, UINT16, FLOAT16, BFLOAT16 -> bytes.putShort((short) tensor.getInt32Data(i));
                default -> bytes.put((byte) tensor.getInt32Data(i));
            }
        }
        return bytes.flip();
    }

    private static int typedCount(TensorProto tensor, TensorProto.DataType type) {
        return switch (type) {
            case FLOAT -> tensor.getFloatDataCount();
            case DOUBLE -> tensor.getDoubleDataCount();
            case INT64 -> tensor.getInt64DataCount();
            case UINT32, UINT64 -> tensor.getUint64DataCount();
            default -> tensor.getInt32DataCount();
        };
    }

    /** Returns the bytes of a small tensor at once. */
    ByteBuffer all() {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(data.size())).order(ByteOrder.LITTLE_ENDIAN);
        forEachPiece((offset, piece) -> bytes.put(piece));
        return bytes.flip();
    }

    /** Returns floating-point numbers. */
    double[] doubles(int count) {
        double[] values = new double[count];
        int bytes = bytesPerElement(elementType);
        forEachPiece((offset, piece) -> {
            int start = (int) (offset / bytes);
            for (int i = 0; i < piece.remaining() / bytes; i++) {
                values[start + i] = real(piece, i);
            }
        });
        return values;
    }

    /** Returns the largest magnitude of floating-point numbers, infinite if one is not finite; 0 of none. */
    double largest() {
        double[] largest = new double[1];
        forEachPiece((offset, piece) -> {
            double magnitude = largest(piece);
            largest[0] = Double.isNaN(magnitude) ? Double.POSITIVE_INFINITY : Math.max(largest[0], magnitude);
        });
        return largest[0];
    }

    /** Without their signs, floating-point numbers are in the order of their bits, infinity above all numbers and NaN above that. */
    private double largest(ByteBuffer piece) {
        if (isHalf()) {
            short[] stored = new short[piece.remaining() / Short.BYTES];
            piece.asShortBuffer().get(stored);
            int most = 0;
            for (short bits : stored) {
                most = Math.max(most, bits & 0x7fff);
            }
            return elementType == TensorProto.DataType.BFLOAT16
                    ? Half.bfloatToFloat((short) most)
                    : Half.toFloat((short) most);
        }
        if (elementType == TensorProto.DataType.FLOAT) {
            int[] stored = new int[piece.remaining() / Float.BYTES];
            piece.asIntBuffer().get(stored);
            int most = 0;
            for (int bits : stored) {
                most = Math.max(most, bits & 0x7fffffff);
            }
            return Float.intBitsToFloat(most);
        }
        double most = 0;
        for (int i = 0; i < piece.remaining() / bytesPerElement(elementType); i++) {
            most = Math.max(most, Math.abs(real(piece, i))); // NaN of NaN
        }
        return most;
    }

    /** Returns the SHA-256 of the bytes. */
    byte[] fingerprint() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            forEachPiece((offset, piece) -> sha.update(piece));
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Returns whole numbers and truth values. */
    long[] longs(int count) {
        long[] values = new long[count];
        int bytes = bytesPerElement(elementType);
        forEachPiece((offset, piece) -> {
            int start = (int) (offset / bytes);
            for (int i = 0; i < piece.remaining() / bytes; i++) {
                values[start + i] = whole(piece, i);
            }
        });
        return values;
    }

    /** Returns a floating-point number of a piece of the data. */
    double real(ByteBuffer piece, int index) {
        return switch (elementType) {
            case FLOAT -> piece.getFloat(4 * index);
            case DOUBLE -> piece.getDouble(8 * index);
            case FLOAT16 -> Half.toFloat(piece.getShort(2 * index));
            case BFLOAT16 -> Half.bfloatToFloat(piece.getShort(2 * index));
            default -> whole(piece, index);
        };
    }

    /** Returns a whole number of a piece of the data. */
    long whole(ByteBuffer piece, int index) {
        return switch (elementType) {
            case INT64, UINT64 -> piece.getLong(8 * index);
            case UINT32 -> Integer.toUnsignedLong(piece.getInt(4 * index));
            case INT32 -> piece.getInt(4 * index);
            case INT16 -> piece.getShort(2 * index);
            case UINT16 -> Short.toUnsignedInt(piece.getShort(2 * index));
            case UINT8, BOOL -> Byte.toUnsignedInt(piece.get(index));
            default -> piece.get(index);
        };
    }

    /**
     * Returns floating-point numbers in memory, ready to become an array of that type.
     *
     * @param directory where a file shall stand behind many of type FLOAT, null: nowhere
     */
    NativeMemory load(DataType type, long count, @Nullable Path directory) {
        long bytes = count * type.width();
        NativeMemory memory = directory != null && type == DataType.FLOAT && bytes >= LEAST_IN_FILE
                ? NativeMemory.inFile(bytes, directory)
                : NativeMemory.of(bytes);
        try {
            if (isStoredAs(type)) {
                data.copyTo(memory);
            } else {
                data.forEachPiece(PIECE, (offset, piece) -> convert(offset, piece, type, memory));
            }
            memory.written();
            return memory;
        } catch (IOException e) {
            memory.release();
            throw new InvalidInputException(what + " cannot be read: " + e.getMessage(), e);
        }
    }

    private boolean isStoredAs(DataType type) {
        boolean same = elementType == TensorProto.DataType.FLOAT && type == DataType.FLOAT
                || elementType == TensorProto.DataType.DOUBLE && type == DataType.DOUBLE;
        return same && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    }

    private void convert(long offset, ByteBuffer piece, DataType type, NativeMemory memory) {
        int count = piece.remaining() / bytesPerElement(elementType);
        long start = offset / bytesPerElement(elementType) * type.width();
        ByteBuffer into = memory.part(start, (long) count * type.width());
        if (type == DataType.FLOAT && isHalf()) {
            widen(piece, count, into);
            return;
        }
        for (int i = 0; i < count; i++) {
            if (type == DataType.DOUBLE) {
                into.putDouble(8 * i, real(piece, i));
            } else {
                into.putFloat(4 * i, (float) real(piece, i));
            }
        }
    }

    private boolean isHalf() {
        return elementType == TensorProto.DataType.FLOAT16 || elementType == TensorProto.DataType.BFLOAT16;
    }

    /** Numbers of 16 bits in bulk: those of large models are a thousand million. */
    private void widen(ByteBuffer piece, int count, ByteBuffer into) {
        short[] stored = new short[count];
        int[] bits = new int[count];
        piece.asShortBuffer().get(stored);
        if (elementType == TensorProto.DataType.BFLOAT16) {
            for (int i = 0; i < count; i++) {
                bits[i] = stored[i] << 16;
            }
        } else {
            for (int i = 0; i < count; i++) {
                bits[i] = Float.floatToRawIntBits(Half.toFloat(stored[i]));
            }
        }
        into.asIntBuffer().put(bits);
    }

    private void forEachPiece(TensorData.Consumer consumer) {
        try {
            data.forEachPiece(PIECE, consumer);
        } catch (IOException e) {
            throw new InvalidInputException(what + " cannot be read: " + e.getMessage(), e);
        }
    }
}
