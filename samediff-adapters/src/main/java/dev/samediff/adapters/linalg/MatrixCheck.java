package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import java.lang.ref.Reference;
import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Says whether an array is a matrix that LAPACK can take. */
final class MatrixCheck {
    private static final int PIECE = 1 << 14;
    /** The square root of the smallest normal number by the unit roundoff, as in gesdd. */
    private static final double SMALL_FLOAT = 1.8e-12;

    private static final double SMALL_DOUBLE = 1.4e-138;
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

    static void requireRank(INDArray a, int rank) {
        long most = Math.min(a.rows(), a.columns());
        if (rank < 1 || rank > most) {
            throw new InvalidInputException("rank " + rank + " does not fit the decomposition of a matrix "
                    + Arrays.toString(a.shape()) + "; expected 1 to " + most);
        }
    }

    /** Whether squares and sums of the numbers can be trusted: not all zero, and within the range in which gesdd scales nothing. */
    static boolean isModerate(INDArray contiguous) {
        double largest = Blas.largestMagnitude(contiguous);
        return contiguous.dataType() == DataType.DOUBLE
                ? largest > SMALL_DOUBLE && largest < 1 / SMALL_DOUBLE
                : largest > SMALL_FLOAT && largest < 1 / SMALL_FLOAT;
    }

    /** Refuses NaN and infinities, with which LAPACK may never return. */
    static void requireFinite(INDArray contiguous) {
        if (!Double.isFinite(Blas.sumOfMagnitudes(contiguous))) { // or the sum overflowed
            findNonFinite(contiguous);
        }
    }

    /** Reads in pieces: a native call per number is slow. */
    private static void findNonFinite(INDArray contiguous) {
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
        Reference.reachabilityFence(contiguous);
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
