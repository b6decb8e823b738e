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

    /** Refuses NaN and infinities, with which LAPACK may never return. */
    static void requireFinite(INDArray contiguous) {
        long n = contiguous.length();
        Pointer data = Lapack.hostData(contiguous).pointer();
        if (contiguous.dataType() == DataType.DOUBLE) {
            DoublePointer values = new DoublePointer(data);
            for (long i = 0; i < n; i++) {
                requireFinite(values.get(i), i, contiguous);
            }
        } else {
            FloatPointer values = new FloatPointer(data);
            for (long i = 0; i < n; i++) {
                requireFinite(values.get(i), i, contiguous);
            }
        }
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
