package dev.samediff.importer.onnx;

import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.memory.FileBlock;
import dev.samediff.adapters.memory.NativeBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
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
abstract class NativeMemory {
    /**
     * Allocates.
     *
     * @throws OutOfMemoryError if there is not so much
     */
    static NativeMemory of(long size) {
        return new Anonymous(new NativeBlock(size));
    }

    /**
     * Allocates memory of FLOAT numbers behind which a file stands; it is resident only while it is filled.
     *
     * @param directory of the file; if it has no room, the memory is of the usual kind
     */
    static NativeMemory inFile(long size, Path directory) {
        return FileBackedArrays.block(size, directory)
                .<NativeMemory>map(InFile::new)
                .orElseGet(() -> of(size));
    }

    /** Returns a part of the memory, up to 2 GB, in the machine's byte order. It is written before a later one is asked for. */
    abstract ByteBuffer part(long offset, long count);

    /** Says that all is written: what lies in a file needs no memory until it is read. */
    void written() {}

    /** Gives the memory back. */
    abstract void release();

    /** Returns an array in row-major order whose numbers these are. */
    abstract INDArray toArray(DataType type, long[] shape);

    /** Memory that a file stands behind. What was written is given back in large parts. */
    private static final class InFile extends NativeMemory {
        private static final long WRITTEN = 1L << 26;

        private final FileBlock block;
        private long released;

        InFile(FileBlock block) {
            this.block = block;
        }

        @Override
        ByteBuffer part(long offset, long count) {
            if (offset - released >= WRITTEN) {
                giveBack(offset);
            }
            return block.part(offset, count).asByteBuffer().order(ByteOrder.nativeOrder());
        }

        private void giveBack(long end) {
            block.release(released, end);
            released = end;
        }

        @Override
        void written() {
            giveBack(block.bytes());
        }

        @Override
        void release() {
            block.close();
        }

        @Override
        INDArray toArray(DataType type, long[] shape) {
            return block.asArray(shape);
        }
    }

    /** Memory of the process. */
    private static final class Anonymous extends NativeMemory {
        private final NativeBlock block;

        Anonymous(NativeBlock block) {
            this.block = block;
        }

        @Override
        ByteBuffer part(long offset, long count) {
            return block.part(offset, count).asByteBuffer().order(ByteOrder.nativeOrder());
        }

        @Override
        void release() {
            block.close();
        }

        @Override
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
}
