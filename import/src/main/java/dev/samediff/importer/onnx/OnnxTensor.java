package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.ByteString;

/** A tensor stored in the file. Its size is checked against the bytes that are there before anything is allocated. */
public final class OnnxTensor {
    private final String name;
    private final TensorProto proto;
    private final long[] shape;
    private final DataType type;
    private final ByteString raw;

    /**
     * Wraps and checks a tensor.
     *
     * @param name the initializer's name or the Constant node's output
     * @param proto the tensor
     * @param files where data outside the file is read from
     * @throws InvalidInputException if shape, type and data do not fit together
     */
    OnnxTensor(String name, TensorProto proto, ExternalData files) {
        this.name = name;
        this.proto = proto;
        this.shape = proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
        this.type = OnnxTypes.toNd4j(proto.getDataType(), "tensor '" + name + "'");
        this.raw = proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                ? files.read(name, proto)
                : proto.getRawData();
        checkSize();
    }

    private void checkSize() {
        long length = HostTensor.length(shape);
        if (length < 0 || length > Integer.MAX_VALUE) {
            throw new InvalidInputException("tensor '" + name + "' declares the shape " + Arrays.toString(shape)
                    + ", which is not a size this importer can hold; the file is damaged or too large");
        }
        long present = isRaw() ? raw.size() / OnnxTypes.bytes(elementType()) : typedCount();
        boolean ragged = isRaw() && raw.size() % OnnxTypes.bytes(elementType()) != 0;
        if (present != length || ragged) {
            throw new InvalidInputException("tensor '" + name + "' declares the shape " + Arrays.toString(shape) + " ("
                    + length + " elements) but holds data for " + present + "; the file is damaged");
        }
    }

    private TensorProto.DataType elementType() {
        return TensorProto.DataType.forNumber(proto.getDataType());
    }

    private boolean isRaw() {
        return !raw.isEmpty();
    }

    private int typedCount() {
        return switch (elementType()) {
            case FLOAT -> proto.getFloatDataCount();
            case DOUBLE -> proto.getDoubleDataCount();
            case INT64 -> proto.getInt64DataCount();
            case UINT32, UINT64 -> proto.getUint64DataCount();
            default -> proto.getInt32DataCount();
        };
    }

    /**
     * Returns the elements of a small tensor that is an attribute of a node.
     *
     * @param what the node, for messages
     */
    public static HostTensor inline(String what, TensorProto proto) {
        return new OnnxTensor(what, proto, new ExternalData(java.nio.file.Path.of("model")))
                .toHost()
                .orElseThrow();
    }

    /** Returns the initializer's name or the Constant node's output. */
    public String name() {
        return name;
    }

    /** Returns the type it has in the graph. */
    public DataType type() {
        return type;
    }

    /** Returns the shape. */
    public long[] shape() {
        return shape.clone();
    }

    /** Returns the number of elements. */
    public int length() {
        return (int) HostTensor.length(shape);
    }

    /** Tells whether the file stores half precision, which is widened to float. */
    public boolean isHalf() {
        return elementType() == TensorProto.DataType.FLOAT16 || elementType() == TensorProto.DataType.BFLOAT16;
    }

    /** Returns the elements for folding, or nothing if there are too many. */
    public Optional<HostTensor> toHost() {
        if (length() > HostTensor.LIMIT) {
            return Optional.empty();
        }
        if (type.isFPType()) {
            double[] values = new double[length()];
            Arrays.setAll(values, reals()::at);
            return Optional.of(HostTensor.of(type, shape, values));
        }
        long[] values = new long[length()];
        Arrays.setAll(values, integers()::at);
        return Optional.of(HostTensor.of(type, shape, values));
    }

    /** Copies the elements of a floating-point tensor into a new array of the graph. */
    public INDArray toArray() {
        if (type == DataType.DOUBLE) {
            double[] values = new double[length()];
            Arrays.setAll(values, reals()::at);
            return Nd4j.createFromArray(values).reshape(shape);
        }
        float[] values = new float[length()];
        if (isRaw() && elementType() == TensorProto.DataType.FLOAT) {
            bytes().asFloatBuffer().get(values);
        } else {
            RealReader reader = reals();
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) reader.at(i);
            }
        }
        return Nd4j.createFromArray(values).reshape(shape);
    }

    private ByteBuffer bytes() {
        return raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private interface RealReader {
        double at(int index);
    }

    private interface IntegerReader {
        long at(int index);
    }

    private RealReader reals() {
        ByteBuffer bytes = bytes();
        return switch (elementType()) {
            case FLOAT -> isRaw() ? i -> bytes.getFloat(4 * i) : proto::getFloatData;
            case DOUBLE -> isRaw() ? i -> bytes.getDouble(8 * i) : proto::getDoubleData;
            case FLOAT16 -> i -> Half.toFloat(isRaw() ? bytes.getShort(2 * i) : (short) proto.getInt32Data(i));
            default -> i -> Half.bfloatToFloat(isRaw() ? bytes.getShort(2 * i) : (short) proto.getInt32Data(i));
        };
    }

    private IntegerReader integers() {
        ByteBuffer bytes = bytes();
        boolean present = isRaw();
        return switch (elementType()) {
            case INT64 -> present ? i -> bytes.getLong(8 * i) : proto::getInt64Data;
            case UINT64 -> present ? i -> bytes.getLong(8 * i) : proto::getUint64Data;
            case UINT32 -> present ? i -> Integer.toUnsignedLong(bytes.getInt(4 * i)) : proto::getUint64Data;
            case INT32 -> present ? i -> bytes.getInt(4 * i) : proto::getInt32Data;
            case INT16 -> present ? i -> bytes.getShort(2 * i) : proto::getInt32Data;
            case UINT16 -> present ? i -> Short.toUnsignedInt(bytes.getShort(2 * i)) : proto::getInt32Data;
            case UINT8, BOOL -> present ? i -> Byte.toUnsignedInt(bytes.get(i)) : proto::getInt32Data;
            default -> present ? i -> bytes.get(i) : proto::getInt32Data;
        };
    }
}
