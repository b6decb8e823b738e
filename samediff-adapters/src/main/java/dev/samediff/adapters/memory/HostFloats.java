package dev.samediff.adapters.memory;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Numbers of arrays in Java's own arrays and back, many at once: ND4J's buffers hand them over one by one. */
public final class HostFloats {
    private HostFloats() {}

    /** Returns whether an array is row-major FLOAT in the memory of this process, so that {@link #read} and {@link #write} take it. */
    public static boolean isPlain(INDArray array) {
        return array.dataType() == DataType.FLOAT
                && array.ordering() == 'c'
                && !array.isView()
                && Nd4j.getEnvironment().isCPU();
    }

    /**
     * Copies numbers of an array that {@link #isPlain}.
     *
     * @param start place of the first one
     * @param into takes as many as it is long
     */
    public static void read(INDArray array, long start, float[] into) {
        new FloatPointer(array.data().addressPointer()).position(start).get(into);
        Reference.reachabilityFence(array);
    }

    /**
     * Writes numbers into an array that {@link #isPlain}.
     *
     * @param start place of the first one
     */
    public static void write(float[] numbers, INDArray array, long start) {
        new FloatPointer(array.data().addressPointer()).position(start).put(numbers);
        Reference.reachabilityFence(array);
    }

    /** Returns the numbers of an array of any type and order, row-major, as floats. */
    public static float[] of(INDArray array) {
        if (!isPlain(array)) {
            INDArray copy = array.dup('c');
            return isPlain(copy) ? plain(copy) : copy.data().asFloat();
        }
        return plain(array);
    }

    private static float[] plain(INDArray array) {
        float[] numbers = new float[Math.toIntExact(array.length())];
        read(array, 0, numbers);
        return numbers;
    }
}
