package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A tensor stored in the file. Its size is checked against the bytes that are there before anything is allocated. */
public final class OnnxTensor {
    private final String name;
    private final TensorProto.DataType elementType;
    private final long[] shape;
    private final DataType type;
    private final TensorData data;

    /**
     * Wraps and checks a tensor.
     *
     * @param name the initializer's name or the Constant node's output
     * @param proto the tensor
     * @param files where data outside the message is read from
     * @param floats type of floating-point numbers in the graph, null: as {@link OnnxTypes} says
     * @throws InvalidInputException if shape, type and data do not fit together
     */
    OnnxTensor(String name, TensorProto proto, ExternalData files, @Nullable DataType floats) {
        this.name = name;
        this.shape = proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
        DataType own = OnnxTypes.exact(proto.getDataType(), "tensor '" + name + "'");
        this.type = own.isFPType() && floats != null ? floats : own;
        this.elementType = TensorProto.DataType.forNumber(proto.getDataType());
        long length = checkedLength();
        this.data = proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                ? files.of(name, proto)
                : new TensorData.InMemory(StoredNumbers.bytes(proto, elementType));
        checkSize(length);
    }

    private long checkedLength() {
        long length = HostTensor.length(shape);
        if (length < 0 || length > Integer.MAX_VALUE || shape.length > HostTensor.MOST_AXES) {
            throw new InvalidInputException(
                    "tensor '" + name + "' declares the shape " + Arrays.toString(shape)
                            + ", which is not a size this importer can hold; the file is damaged or too large: copy it again, or export it again");
        }
        return length;
    }

    private void checkSize(long length) {
        int bytes = StoredNumbers.bytesPerElement(elementType);
        if (data.size() != length * bytes) {
            throw new InvalidInputException("tensor '" + name + "' declares the shape " + Arrays.toString(shape) + " ("
                    + length + " elements) but holds data for " + data.size() / bytes + NotValid.DAMAGED);
        }
    }

    /**
     * Returns the elements of a small tensor that is an attribute of a node.
     *
     * @param what the node, for messages
     */
    public static HostTensor inline(String what, TensorProto proto) {
        return new OnnxTensor(what, proto, new ExternalData(Path.of("model")), null)
                .toHost()
                .orElseThrow(() -> new InvalidInputException(what
                        + " has too large a tensor among its attributes; export the model with it as an initializer"));
    }

    /** Returns the initializer's name or the Constant node's output. */
    public String name() {
        return name;
    }

    /** Returns the type its numbers have while importing. */
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

    /** Tells whether the file stores half precision, which is widened. */
    public boolean isHalf() {
        return elementType == TensorProto.DataType.FLOAT16 || elementType == TensorProto.DataType.BFLOAT16;
    }

    /** Returns the elements for folding, or nothing if there are too many. */
    public Optional<HostTensor> toHost() {
        if (length() > HostTensor.LIMIT) {
            return Optional.empty();
        }
        return Optional.of(
                type.isFPType()
                        ? HostTensor.of(type, shape, numbers().doubles(length()))
                        : HostTensor.of(type, shape, numbers().longs(length())));
    }

    /** Returns the largest magnitude of a floating-point tensor's elements, infinite if one is not finite; reads all of them. */
    public double largest() {
        return numbers().largest();
    }

    /** Tells whether another tensor has the same type, shape and bytes; reads all of them. */
    public boolean holdsTheSame(OnnxTensor other) {
        return other == this
                || (elementType == other.elementType
                        && Arrays.equals(shape, other.shape)
                        && Arrays.equals(
                                numbers().fingerprint(), other.numbers().fingerprint()));
    }

    /** Copies the elements of a floating-point tensor into a new array of the graph. */
    public INDArray toArray() {
        return toArray(load(null));
    }

    /**
     * Reads the elements of a floating-point tensor.
     *
     * @param directory where a file shall stand behind many of them, null: nowhere, and ND4J is not needed for it
     */
    NativeMemory load(@Nullable Path directory) {
        return numbers().load(type, length(), directory);
    }

    /** Makes an array of what was read. */
    INDArray toArray(NativeMemory elements) {
        if (length() == 0) {
            elements.release();
            return Nd4j.create(type, shape);
        }
        return elements.toArray(type, shape);
    }

    StoredNumbers numbers() {
        return new StoredNumbers("tensor '" + name + "'", elementType, data);
    }
}
