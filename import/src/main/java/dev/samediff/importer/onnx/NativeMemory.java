package dev.samediff.importer.onnx;

import dev.samediff.adapters.memory.NativeBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory outside of the Java heap that becomes an array without being copied or set to zero first: ND4J clears what it
 * allocates at 0.3 GB/s, several times slower than a file is read.
 *
 * <p>It is given back when the array's buffer is no longer referred to, or by {@link #release} if it never became one.
 */
final class NativeMemory {
    private final NativeBlock block;

    /**
     * Allocates.
     *
     * @throws OutOfMemoryError if there is not so much
     */
    NativeMemory(long size) {
        this.block = new NativeBlock(size);
    }

    /** Returns a part of the memory, up to 2 GB, in the machine's byte order. */
    ByteBuffer part(long offset, long count) {
        return block.part(offset, count).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** Gives the memory back. */
    void release() {
        block.close();
    }

    /** Returns an array in row-major order whose numbers these are. */
    INDArray toArray(DataType type, long[] shape) {
        return Nd4j.getExecutioner().type() == OpExecutioner.ExecutionerType.NATIVE_CPU
                ? block.asArray(type, shape)
                : copiedToDevice(type, shape);
    }

    private INDArray copiedToDevice(DataType type, long[] shape) {
        Pointer start = block.part(0, block.bytes());
        int length = Math.toIntExact(block.bytes() / type.width());
        INDArray array;
        if (type == DataType.DOUBLE) {
            double[] values = new double[length];
            new DoublePointer(start).get(values);
            array = Nd4j.createFromArray(values);
        } else {
            float[] values = new float[length];
            new FloatPointer(start).get(values);
            array = Nd4j.createFromArray(values);
        }
        release();
        return array.reshape(shape);
    }
}
