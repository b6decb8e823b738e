package dev.samediff.importer.cells;

import ai.onnxruntime.platform.Fp16Conversions;
import dev.samediff.importer.onnx.OnnxTypes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntToLongFunction;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.ByteString;

/**
 * A small tensor of one of ONNX's element types, to the last bit: whole numbers and truth values as {@code long}, real ones
 * as {@code double}.
 *
 * @param type element type
 * @param shape sizes
 * @param wholes elements of a tensor of whole numbers, else null
 * @param reals elements of a tensor of real numbers, else null
 */
public record Numbers(TensorProto.DataType type, long[] shape, long @Nullable [] wholes, double @Nullable [] reals) {
    /** Makes a tensor of numbers that are cut to the type as C++ cuts them. */
    public static Numbers of(TensorProto.DataType type, long[] shape, IntToLongFunction values) {
        long[] wholes = new long[count(shape)];
        Arrays.setAll(wholes, i -> cut(type, values.applyAsLong(i)));
        if (isReal(type)) {
            return ofReals(type, shape, i -> wholes[i]);
        }
        return new Numbers(type, shape, wholes, null);
    }

    /** Makes a tensor of real numbers that are rounded to the type. */
    public static Numbers ofReals(TensorProto.DataType type, long[] shape, IntToDoubleFunction values) {
        double[] reals = new double[count(shape)];
        Arrays.setAll(reals, i -> rounded(type, values.applyAsDouble(i)));
        return new Numbers(type, shape, null, reals);
    }

    /** A vector of INT64, as sizes, axes and indices are. */
    public static Numbers vector(long... values) {
        return of(TensorProto.DataType.INT64, new long[] {values.length}, i -> values[i]);
    }

    /** One number without axes. */
    public static Numbers scalar(TensorProto.DataType type, double value) {
        return isReal(type)
                ? ofReals(type, new long[0], i -> value)
                : of(type, new long[0], i -> (long) value);
    }

    /** Tells whether a type holds real numbers. */
    public static boolean isReal(TensorProto.DataType type) {
        return switch (type) {
            case FLOAT, DOUBLE, FLOAT16, BFLOAT16 -> true;
            default -> false;
        };
    }

    private static int count(long[] shape) {
        return (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    int count() {
        return count(shape);
    }

    static long cut(TensorProto.DataType type, long value) {
        return switch (type) {
            case INT32 -> (int) value;
            case INT16 -> (short) value;
            case INT8 -> (byte) value;
            case UINT8 -> value & 0xff;
            case UINT16 -> value & 0xffff;
            case UINT32 -> value & 0xffffffffL;
            case BOOL -> value == 0 ? 0 : 1;
            default -> value;
        };
    }

    private static double rounded(TensorProto.DataType type, double value) {
        return switch (type) {
            case FLOAT -> (float) value;
            case FLOAT16 -> Fp16Conversions.fp16ToFloat(Fp16Conversions.floatToFp16((float) value));
            case BFLOAT16 -> Fp16Conversions.bf16ToFloat(Fp16Conversions.floatToBf16((float) value));
            default -> value;
        };
    }

    /** The same numbers as another type holds them. */
    Numbers as(TensorProto.DataType other) {
        if (reals != null) {
            double[] values = reals;
            return ofReals(other, shape, i -> values[i]);
        }
        long[] values = Objects.requireNonNull(wholes);
        return of(other, shape, i -> values[i]);
    }

    /** The tensor as an initializer. */
    TensorProto proto(String name) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * count()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count(); i++) {
            put(bytes, i);
        }
        TensorProto.Builder proto =
                TensorProto.newBuilder().setName(name).setDataType(type.getNumber());
        Arrays.stream(shape).forEach(proto::addDims);
        return proto.setRawData(ByteString.copyFrom(bytes.flip())).build();
    }

    private void put(ByteBuffer bytes, int i) {
        double real = reals == null ? 0 : reals[i];
        long whole = wholes == null ? 0 : wholes[i];
        switch (type) {
            case FLOAT -> bytes.putFloat((float) real);
            case DOUBLE -> bytes.putDouble(real);
            case FLOAT16 -> bytes.putShort(Fp16Conversions.floatToFp16((float) real));
            case BFLOAT16 -> bytes.putShort(Fp16Conversions.floatToBf16((float) real));
            case INT64 -> bytes.putLong(whole);
            case INT32, UINT32 -> bytes.putInt((int) whole);
            case INT16, UINT16 -> bytes.putShort((short) whole);
            default -> bytes.put((byte) whole);
        }
    }

    /** The tensor as the graph is fed with it. */
    INDArray array() {
        DataType held = OnnxTypes.toNd4j(type.getNumber(), "a number");
        if (count() == 0) {
            return Nd4j.create(held, shape);
        }
        INDArray flat = wholes != null ? Nd4j.createFromArray(wholes) : Nd4j.createFromArray(reals);
        return flat.castTo(held).reshape('c', shape);
    }

    /** Reads the elements one after the other. */
    static Numbers read(TensorProto.DataType type, long[] shape, ByteBuffer bytes) {
        return switch (type) {
            case FLOAT -> ofReals(type, shape, i -> bytes.getFloat(4 * i));
            case DOUBLE -> ofReals(type, shape, i -> bytes.getDouble(8 * i));
            case FLOAT16 -> ofReals(type, shape, i -> Fp16Conversions.fp16ToFloat(bytes.getShort(2 * i)));
            case BFLOAT16 -> ofReals(type, shape, i -> Fp16Conversions.bf16ToFloat(bytes.getShort(2 * i)));
            case INT64, UINT64 -> of(type, shape, i -> bytes.getLong(8 * i));
            case INT32, UINT32 -> of(type, shape, i -> bytes.getInt(4 * i));
            case INT16, UINT16 -> of(type, shape, i -> bytes.getShort(2 * i));
            default -> of(type, shape, bytes::get);
        };
    }

    /** What a graph gave. */
    static Numbers of(INDArray array) {
        TensorProto.DataType type = switch (array.dataType()) {
            case FLOAT -> TensorProto.DataType.FLOAT;
            case DOUBLE -> TensorProto.DataType.DOUBLE;
            case LONG -> TensorProto.DataType.INT64;
            case INT -> TensorProto.DataType.INT32;
            case BOOL -> TensorProto.DataType.BOOL;
            default -> TensorProto.DataType.UNDEFINED;
        };
        long[] shape = array.shape().clone();
        if (array.isEmpty()) {
            return new Numbers(type, shape, new long[0], null);
        }
        INDArray flat = array.dup('c').reshape(array.length());
        return array.dataType().isFPType()
                ? new Numbers(type, shape, null, flat.castTo(DataType.DOUBLE).toDoubleVector())
                : new Numbers(type, shape, flat.castTo(DataType.LONG).toLongVector(), null);
    }

    /** Says where this differs from what was expected; null if it does not. */
    @Nullable
    String difference(Numbers expected, double absolute, double relative) {
        if (!Arrays.equals(shape, expected.shape)) {
            return "shape " + Arrays.toString(shape) + " for " + Arrays.toString(expected.shape);
        }
        if (count() == 0) {
            return null;
        }
        if ((wholes == null) != (expected.wholes == null)) {
            return type + " for " + expected.type;
        }
        for (int i = 0; i < count(); i++) {
            boolean same = wholes != null && expected.wholes != null
                    ? wholes[i] == expected.wholes[i]
                    : isClose(
                            Objects.requireNonNull(reals)[i],
                            Objects.requireNonNull(expected.reals)[i],
                            absolute,
                            relative);
            if (!same) {
                return values() + " for " + expected.values();
            }
        }
        return null;
    }

    private static boolean isClose(double actual, double expected, double absolute, double relative) {
        return Double.isFinite(expected)
                ? Math.abs(actual - expected) <= absolute + relative * Math.abs(expected)
                : Double.compare(actual, expected) == 0;
    }

    String values() {
        return wholes != null ? Arrays.toString(wholes) : Arrays.toString(reals);
    }

    @Override
    public String toString() {
        return type + Arrays.toString(shape) + values();
    }
}
