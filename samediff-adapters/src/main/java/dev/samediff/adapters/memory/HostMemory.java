package dev.samediff.adapters.memory;

import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Memory of the host by address. Nothing is checked and nothing is owned: who gives an address keeps the memory alive. */
public final class HostMemory {
    private HostMemory() {}

    /**
     * Returns an array of the CPU backend on memory that is somebody else's.
     *
     * @param address of the first element
     * @param shape the array's shape
     * @param strides its strides in elements
     */
    public static INDArray array(long address, DataType type, long[] shape, long[] strides) {
        long span = 1;
        for (int i = 0; i < shape.length; i++) {
            span += (shape[i] - 1) * strides[i];
        }
        return Nd4j.create(Nd4j.createBuffer(bytes(address, span * type.width()), span, type), shape, strides, 0, 'c');
    }

    /** Returns bytes from an address on. */
    public static Pointer bytes(long address, long count) {
        return new Raw(address, count);
    }

    /** A bare address. */
    private static final class Raw extends Pointer {
        Raw(long address, long bytes) {
            this.address = address;
            this.limit = bytes;
            this.capacity = bytes;
        }

        @Override
        public int sizeof() {
            return 1;
        }
    }
}
