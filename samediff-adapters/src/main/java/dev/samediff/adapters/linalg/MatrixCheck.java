package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Says whether an array is a matrix that LAPACK can take. */
final class MatrixCheck {
    private static final int PIECE = 1 << 14;
    private static final long MOST_ELEMENTS = Integer.MAX_VALUE;

    private MatrixCheck() {}

    static void requireMatrix(INDArray a) {
        if (a.rank() != 2 || a.isEmpty()) {
            throw new InvalidInputException("an array of shape " + Arrays.toString(a.shape())
                    + " cannot be decomposed; expected a matrix with at least one row and one column");
        }
        if (a.dataType() != DataType.FLOAT && a.dataType() != DataType.DOUBLE) {
            throw new InvalidInputException(
                    "a matrix of " + a.dataType() + " cannot be decomposed; expected FLOAT or DOUBLE: cast it first");
        }
        if (a.length() > MOST_ELEMENTS) {
            throw new InvalidInputException("a matrix " + Arrays.toString(a.shape()) + " of " + a.length()
                    + " elements cannot be decomposed; LAPACK's 32-bit sizes end at " + MOST_ELEMENTS
                    + ": exclude this layer");
        }
    }

    /** Refuses NaN and infinities, with which LAPACK may never return. Reads in pieces: a native call per number is slow. */
    static void requireFinite(INDArray contiguous) {
        Pointer data = Lapack.hostData(contiguous).pointer();
        for (long start = 0; start < contiguous.length(); start += PIECE) {
            int count = (int) Math.min(PIECE, contiguous.length() - start);
            double[] values = contiguous.dataType() == DataType.DOUBLE
                    ? doubles(data, start, count)
                    : widened(floats(data, start, count));
            for (int i = 0; i < count; i++) {
                requireFinite(values[i], start + i, contiguous);
            }
        }
    }

    private static double[] doubles(Pointer data, long start, int count) {
        double[] values = new double[count];
        new DoublePointer(data).position(start).get(values);
        return values;
    }

    private static float[] floats(Pointer data, long start, int count) {
        float[] values = new float[count];
        new FloatPointer(data).position(start).get(values);
        return values;
    }

    private static double[] widened(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static void requireFinite(double value, long index, INDArray a) {
        if (Double.isFinite(value)) {
            return;
        }
        long row = a.ordering() == 'c' ? index / a.columns() : index % a.rows();
        long column = a.ordering() == 'c' ? index % a.columns() : index / a.rows();
        throw new InvalidInputException("a matrix " + Arrays.toString(a.shape()) + " has the value " + value + " at ["
                + row + "," + column + "]; only finite matrices can be decomposed: check the model file");
    }
}
