package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Copies between float32 arrays of any backend and Java arrays in row-major order. */
final class HostFloats {
    private HostFloats() {}

    /** Returns the values of an array. */
    static float[] read(INDArray array) {
        requireFloat(array);
        float[] values = new float[Math.toIntExact(array.length())];
        if (isPlain(array)) {
            pointer(array).get(values);
            return values;
        }
        return array.dup('c').data().asFloat();
    }

    /** Overwrites an array. */
    static void write(float[] values, INDArray array) {
        requireFloat(array);
        if (isPlain(array)) {
            pointer(array).put(values);
        } else {
            array.assign(Nd4j.createFromArray(values).reshape('c', array.shape()));
        }
    }

    private static FloatPointer pointer(INDArray array) {
        return new FloatPointer(array.data().addressPointer());
    }

    private static boolean isPlain(INDArray array) {
        return Nd4j.getEnvironment().isCPU()
                && array.ordering() == 'c'
                && array.offset() == 0
                && array.data().offset() == 0
                && Arrays.equals(array.stride(), Nd4j.getStrides(array.shape(), 'c'));
    }

    private static void requireFloat(INDArray array) {
        if (array.dataType() != DataType.FLOAT) {
            throw new InvalidInputException(
                    "the trainer works on FLOAT parameters, this one is " + array.dataType() + "; cast it first");
        }
    }
}
