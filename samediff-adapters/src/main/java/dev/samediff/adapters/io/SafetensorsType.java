package dev.samediff.adapters.io;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Data types of safetensors files that ND4J can hold; names are the format's. */
enum SafetensorsType {
    F64(8, DataType.DOUBLE),
    I64(8, DataType.INT64),
    U64(8, DataType.UINT64),
    F32(4, DataType.FLOAT),
    I32(4, DataType.INT32),
    U32(4, DataType.UINT32),
    F16(2, DataType.HALF),
    BF16(2, DataType.BFLOAT16),
    I16(2, DataType.INT16),
    U16(2, DataType.UINT16),
    I8(1, DataType.INT8),
    U8(1, DataType.UINT8),
    BOOL(1, DataType.BOOL);

    private final int bytes;
    private final DataType dataType;

    SafetensorsType(int bytes, DataType dataType) {
        this.bytes = bytes;
        this.dataType = dataType;
    }

    /** Bytes of one element. */
    int bytes() {
        return bytes;
    }

    /** The same type in ND4J. */
    DataType dataType() {
        return dataType;
    }

    static @Nullable SafetensorsType named(String name) {
        for (SafetensorsType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }

    static SafetensorsType of(DataType dataType) {
        for (SafetensorsType type : values()) {
            if (type.dataType == dataType) {
                return type;
            }
        }
        throw new IllegalArgumentException("safetensors has no data type for ND4J's " + dataType);
    }
}
