package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.Shapes;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * Numbers of a tensor in row-major order.
 *
 * @param shape the shape
 * @param data the numbers; whole numbers and truth values, too
 */
record Values(long[] shape, double[] data) {
    Values {
        if (Shapes.length(shape) != data.length) {
            throw new IllegalArgumentException(data.length + " numbers for the shape " + Arrays.toString(shape));
        }
    }

    static Values zeros(long... shape) {
        return new Values(shape, new double[Math.toIntExact(Shapes.length(shape))]);
    }

    static Values of(long[] shape, IntToDoubleFunction number) {
        double[] data = new double[Math.toIntExact(Shapes.length(shape))];
        Arrays.setAll(data, number);
        return new Values(shape, data);
    }

    int rank() {
        return shape.length;
    }

    /** Returns the size of an axis; negative ones count from the end. */
    int size(int axis) {
        return Math.toIntExact(shape[axis < 0 ? axis + shape.length : axis]);
    }

    double at(long... index) {
        return data[position(index)];
    }

    int position(long... index) {
        int position = 0;
        for (int i = 0; i < shape.length; i++) {
            position = Math.toIntExact(position * shape[i] + index[i]);
        }
        return position;
    }

    /** Returns the number at an index of a shape to which axes of size 1, and missing leading ones, are repeated. */
    double broadcast(long... index) {
        int missing = index.length - shape.length;
        int position = 0;
        for (int i = 0; i < shape.length; i++) {
            position = Math.toIntExact(position * shape[i] + (shape[i] == 1 ? 0 : index[i + missing]));
        }
        return data[position];
    }

    /** Returns where the matrix begins whose leading axes, some of them repeated, have this index. */
    int start(long... index) {
        int position = 0;
        for (int i = 0; i < shape.length - 2; i++) {
            position = Math.toIntExact(position * shape[i] + (shape[i] == 1 ? 0 : index[i]));
        }
        return position * size(-2) * size(-1);
    }

    /** Returns the index of a position. */
    static long[] index(long[] shape, int position) {
        long[] index = new long[shape.length];
        long rest = position;
        for (int i = shape.length - 1; i >= 0; i--) {
            index[i] = rest % shape[i];
            rest /= shape[i];
        }
        return index;
    }
}
