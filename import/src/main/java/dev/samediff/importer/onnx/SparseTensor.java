package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import onnx.Onnx.SparseTensorProto;
import onnx.Onnx.TensorProto;
import org.nd4j.shade.protobuf.ByteString;

/** Sparse initializers, written out as dense tensors: coordinates are linear [n] or one row per value [n, rank]. */
final class SparseTensor {
    /** Sparse tensors that are larger together, empty elements included, are refused: the file's size says nothing of it. */
    static final long MOST_BYTES = 1L << 28;

    private SparseTensor() {}

    /**
     * Returns the dense tensor, named as the values are.
     *
     * @param most most bytes it may have
     * @throws InvalidInputException if it is too large, or coordinates lie outside of it
     */
    static TensorProto dense(SparseTensorProto sparse, ExternalData files, long most) {
        TensorProto values = sparse.getValues();
        String what = "sparse tensor '" + values.getName() + "'";
        OnnxTypes.toNd4j(values.getDataType(), what);
        TensorProto.DataType type = TensorProto.DataType.forNumber(values.getDataType());
        int bytes = StoredNumbers.bytesPerElement(type);
        long[] shape = sparse.getDimsList().stream().mapToLong(Long::longValue).toArray();
        long length = HostTensor.length(shape);
        if (length < 0 || length > most / bytes) {
            throw new InvalidInputException(what + " declares the shape " + Arrays.toString(shape) + "; up to "
                    + most / bytes + " elements can be imported: store it as a dense tensor");
        }
        long[] places = places(what, sparse.getIndices(), shape, files);
        ByteBuffer from = bytes(values, type, files);
        if (from.remaining() != (long) places.length * bytes) {
            throw new InvalidInputException(what + " has " + places.length + " coordinates and "
                    + from.remaining() / bytes + " values" + NotValid.DAMAGED);
        }
        ByteBuffer dense = ByteBuffer.allocate((int) length * bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < places.length; i++) {
            dense.put((int) places[i] * bytes, from, from.position() + i * bytes, bytes);
        }
        return TensorProto.newBuilder()
                .setName(values.getName())
                .setDataType(values.getDataType())
                .addAllDims(sparse.getDimsList())
                .setRawData(ByteString.copyFrom(dense))
                .build();
    }

    private static ByteBuffer bytes(TensorProto tensor, TensorProto.DataType type, ExternalData files) {
        return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                ? new StoredNumbers("", type, files.of(tensor.getName(), tensor)).all()
                : StoredNumbers.bytes(tensor, type);
    }

    private static long[] places(String what, TensorProto indices, long[] shape, ExternalData files) {
        HostTensor given = new OnnxTensor("indices of " + what, indices, files, null)
                .toHost()
                .orElseThrow(
                        () -> new InvalidInputException(what + " has too many values; store it as a dense tensor"));
        boolean linear = given.rank() == 1;
        if (!linear && (given.rank() != 2 || given.shape()[1] != shape.length)) {
            throw new InvalidInputException(what + " has coordinates of shape " + Arrays.toString(given.shape())
                    + "; expected [n] or [n, " + shape.length + "]: export it again, or store it as a dense tensor");
        }
        long length = HostTensor.length(shape);
        long[] places = new long[(int) given.shape()[0]];
        for (int i = 0; i < places.length; i++) {
            places[i] = linear ? given.asLong(i) : place(given, i, shape);
            if (places[i] < 0 || places[i] >= length) {
                throw new InvalidInputException(
                        what + " has a value outside of its shape " + Arrays.toString(shape) + NotValid.DAMAGED);
            }
        }
        return places;
    }

    /** The linear coordinate of a row, -1 if it lies outside. */
    private static long place(HostTensor rows, int row, long[] shape) {
        long place = 0;
        for (int axis = 0; axis < shape.length; axis++) {
            long at = rows.asLong(row * shape.length + axis);
            if (at < 0 || at >= shape[axis]) {
                return -1;
            }
            place = place * shape[axis] + at;
        }
        return place;
    }
}
