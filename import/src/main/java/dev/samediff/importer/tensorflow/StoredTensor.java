package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.nd4j.shade.protobuf.ByteString;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.TensorProto;
import org.tensorflow.framework.TensorShapeProto;

/**
 * A tensor of numbers as it is stored: a Const node's or a variable's.
 *
 * @param type element type
 * @param shape sizes
 * @param bytes the elements, little-endian, one after the other
 */
record StoredTensor(DataType type, long[] shape, ByteString bytes) {
    /** Bytes that one number in a file may become. */
    private static final long MOST_REPEATED = 1 << 28;

    /**
     * Reads the value of a Const node. A tensor may give fewer elements than it has: the last one then stands for the rest.
     *
     * @param what the node, for messages
     * @throws InvalidInputException if shape, type and elements do not fit together
     */
    static StoredTensor of(TensorProto proto, String what) {
        long[] shape = shape(proto.getTensorShape());
        int each = TensorFlowTypes.bytes(proto.getDtype(), what);
        long count = count(shape, what);
        ByteString content = proto.getTensorContent();
        if (content.isEmpty() && count > 0) {
            return new StoredTensor(proto.getDtype(), shape, listed(proto, each, count, what));
        }
        if (content.size() != count * each) {
            throw new InvalidInputException(what + " declares the shape " + Arrays.toString(shape) + " (" + count
                    + " elements of " + each + " bytes) but holds " + content.size()
                    + " bytes; the file is damaged: export it again");
        }
        return new StoredTensor(proto.getDtype(), shape, content);
    }

    /** Returns the number of elements, which must fit into one array. */
    static long count(long[] shape, String what) {
        long count = 1;
        for (long size : shape) {
            if (size < 0 || (size > 0 && count > Integer.MAX_VALUE / size)) {
                throw new InvalidInputException(what + " declares the shape " + Arrays.toString(shape)
                        + ", which is not a size that can be held; the file is damaged or too large");
            }
            count *= size;
        }
        return count;
    }

    /** Returns the sizes of a shape; -1 where the size is open. */
    static long[] shape(TensorShapeProto proto) {
        return proto.getDimList().stream()
                .mapToLong(TensorShapeProto.Dim::getSize)
                .toArray();
    }

    private static ByteString listed(TensorProto proto, int each, long count, String what) {
        DataType type = proto.getDtype();
        List<? extends Number> given = switch (type) {
            case DT_FLOAT -> proto.getFloatValList();
            case DT_DOUBLE -> proto.getDoubleValList();
            case DT_INT64 -> proto.getInt64ValList();
            case DT_UINT32 -> proto.getUint32ValList();
            case DT_UINT64 -> proto.getUint64ValList();
            case DT_HALF, DT_BFLOAT16 -> proto.getHalfValList();
            case DT_BOOL ->
                proto.getBoolValList().stream().map(truth -> truth ? 1 : 0).toList();
            default -> proto.getIntValList();
        };
        if (given.size() > count) {
            throw new InvalidInputException(
                    what + " lists " + given.size() + " elements for " + count + NotValid.DAMAGED);
        }
        if (given.size() < count
                && count * each > Math.min(MOST_REPEATED, Runtime.getRuntime().maxMemory() / 8)) {
            throw new InvalidInputException(what + " repeats its last element up to " + count
                    + " elements, more than is taken from a file that does not hold them; export the model again");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) count * each).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            Number number = given.isEmpty() ? Integer.valueOf(0) : given.get(Math.min(i, given.size() - 1));
            put(bytes, type, each, number);
        }
        return ByteString.copyFrom(bytes.flip());
    }

    private static void put(ByteBuffer bytes, DataType type, int each, Number number) {
        if (type == DataType.DT_FLOAT) {
            bytes.putFloat(number.floatValue());
        } else if (type == DataType.DT_DOUBLE) {
            bytes.putDouble(number.doubleValue());
        } else if (each == 8) {
            bytes.putLong(number.longValue());
        } else if (each == 4) {
            bytes.putInt(number.intValue());
        } else if (each == 2) {
            bytes.putShort(number.shortValue());
        } else {
            bytes.put(number.byteValue());
        }
    }

    /** Returns one real number without axes. */
    static StoredTensor single(DataType type, double number) {
        int each = TensorFlowTypes.bytes(type, "a number");
        ByteBuffer bytes = ByteBuffer.allocate(each).order(ByteOrder.LITTLE_ENDIAN);
        put(bytes, type, each, number);
        return new StoredTensor(type, new long[0], ByteString.copyFrom(bytes.flip()));
    }

    /** Returns the elements of a tensor of whole numbers. */
    long[] longs() {
        int each = TensorFlowTypes.bytes(type, "a constant");
        ByteBuffer buffer = bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        long[] values = new long[bytes.size() / each];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (each) {
                case 8 -> buffer.getLong(8 * i);
                case 4 -> buffer.getInt(4 * i);
                case 2 -> buffer.getShort(2 * i);
                default -> buffer.get(i);
            };
        }
        return values;
    }

    /** Returns the same tensor with its axes in another order. */
    StoredTensor permuted(int... order) {
        int each = TensorFlowTypes.bytes(type, "a constant");
        int rank = shape.length;
        long[] strides = new long[rank];
        long stride = each;
        for (int axis = rank - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        long[] sizes = Arrays.stream(order).mapToLong(axis -> shape[axis]).toArray();
        byte[] from = bytes.toByteArray();
        byte[] to = new byte[from.length];
        long[] at = new long[rank];
        for (int position = 0; position < to.length; position += each) {
            long source = 0;
            for (int axis = 0; axis < rank; axis++) {
                source += at[axis] * strides[order[axis]];
            }
            System.arraycopy(from, (int) source, to, position, each);
            for (int axis = rank - 1; axis >= 0 && ++at[axis] == sizes[axis]; axis--) {
                at[axis] = 0;
            }
        }
        return new StoredTensor(type, sizes, ByteString.copyFrom(to));
    }

    /** Returns the same elements with other sizes. */
    StoredTensor reshaped(long... sizes) {
        return new StoredTensor(type, sizes, bytes);
    }

    /** Returns what makes it equal to another tensor; arrays are not compared by their elements. */
    Key key() {
        return new Key(type, Arrays.stream(shape).boxed().toList(), bytes);
    }

    /** Type, sizes and elements, comparable. */
    record Key(DataType type, List<Long> shape, ByteString bytes) {}

    /** Returns it as ONNX's message. */
    onnx.Onnx.TensorProto onnx(String name) {
        onnx.Onnx.TensorProto.Builder proto = onnx.Onnx.TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorFlowTypes.onnx(type, "'" + name + "'"))
                .setRawData(bytes);
        Arrays.stream(shape).forEach(proto::addDims);
        return proto.build();
    }
}
