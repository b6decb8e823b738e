package dev.samediff.adapters.engine.nd4j;

import java.util.Arrays;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.bytedeco.javacpp.indexer.IntIndexer;
import org.bytedeco.javacpp.indexer.LongIndexer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The elements of an array in row-major order, read one by one without a copy where the array is dense. */
final class Elements {
    private final DataBuffer data;
    private final @Nullable Indexer indexer;
    private final long[] shape;
    private final long length;

    private Elements(DataBuffer data, long[] shape, long length) {
        this.data = data;
        this.indexer = Nd4j.getEnvironment().isCPU() && length > 0 ? data.indexer() : null;
        this.shape = shape;
        this.length = length;
    }

    static Elements of(INDArray array) {
        return new Elements(Dense.of(array).data(), array.shape(), array.isEmpty() ? 0 : array.length());
    }

    long length() {
        return length;
    }

    /** Returns an element, cut to a whole number. */
    long whole(long index) {
        if (indexer instanceof LongIndexer longs) {
            return longs.get(index);
        }
        return indexer instanceof IntIndexer ints ? ints.get(index) : data.getLong(index);
    }

    /** Returns an element. */
    double real(long index) {
        return indexer instanceof FloatIndexer floats ? floats.get(index) : data.getDouble(index);
    }

    /** Returns where an element is, such as {@code [1, 5]}. */
    String position(long index) {
        return position(shape, index);
    }

    private static String position(long[] shape, long index) {
        long[] position = new long[shape.length];
        long rest = index;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            position[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        return Arrays.toString(position);
    }
}
