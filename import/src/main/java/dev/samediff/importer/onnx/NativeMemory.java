package dev.samediff.importer.onnx;

import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
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
    private static final Cleaner CLEANER = Cleaner.create();

    private final Pointer memory;
    private final long size;

    /**
     * Allocates.
     *
     * @throws OutOfMemoryError if there is not so much
     */
    NativeMemory(long size) {
        this.size = size;
        this.memory = Pointer.malloc(Math.max(1, size));
        if (memory == null || memory.isNull()) {
            throw new OutOfMemoryError("no " + size + " bytes of memory outside of the Java heap are left");
        }
    }

    /** Returns a part of the memory, up to 2 GB, in the machine's byte order. */
    ByteBuffer part(long offset, long count) {
        return new Part(memory, offset, count).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** Bytes from an offset on. */
    private static final class Part extends BytePointer {
        Part(Pointer memory, long offset, long count) {
            super(memory);
            this.address = memory.address() + offset;
            this.position = 0;
            this.limit = count;
            this.capacity = count;
        }
    }

    /** Gives the memory back. */
    void release() {
        Pointer.free(memory);
    }

    /** Returns an array in row-major order whose numbers these are. */
    INDArray toArray(DataType type, long[] shape) {
        long length = size / type.width();
        Pointer typed = type == DataType.DOUBLE
                ? new DoublePointer(memory).capacity(length)
                : new FloatPointer(memory).capacity(length);
        if (Nd4j.getExecutioner().type() != OpExecutioner.ExecutionerType.NATIVE_CPU) {
            return copiedToDevice(typed, (int) length, type, shape);
        }
        DataBuffer buffer = Nd4j.createBuffer(typed, length, type);
        CLEANER.register(buffer, this::release);
        return Nd4j.create(buffer, shape, Nd4j.getStrides(shape, 'c'), 0, 'c');
    }

    private INDArray copiedToDevice(Pointer typed, int length, DataType type, long[] shape) {
        INDArray array;
        if (type == DataType.DOUBLE) {
            double[] values = new double[length];
            ((DoublePointer) typed).get(values);
            array = Nd4j.createFromArray(values);
        } else {
            float[] values = new float[length];
            ((FloatPointer) typed).get(values);
            array = Nd4j.createFromArray(values);
        }
        release();
        return array.reshape(shape);
    }
}
