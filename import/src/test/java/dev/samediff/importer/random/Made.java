package dev.samediff.importer.random;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A value of a random graph. Everything is known at both sizes of the graph's open axes: an axis is open if its sizes
 * differ.
 *
 * @param name its name
 * @param type FLOAT, LONG or BOOL
 * @param shapes the shape at each of the two sizes
 * @param elements the whole numbers at each of the two sizes, if it is a size or made from sizes
 * @param bound no element is larger in magnitude
 * @param flows whether a gradient reaches an input from here
 */
record Made(String name, DataType type, long[][] shapes, long @Nullable [][] elements, double bound, boolean flows) {
    int rank() {
        return shapes[0].length;
    }

    long[] axis(int axis) {
        return new long[] {shapes[0][axis], shapes[1][axis]};
    }

    boolean isOpen(int axis) {
        return shapes[0][axis] != shapes[1][axis];
    }

    boolean isFixed() {
        return Arrays.equals(shapes[0], shapes[1]);
    }

    boolean isReal() {
        return type == DataType.FLOAT;
    }

    boolean hasShapeOf(Made other) {
        return Arrays.deepEquals(shapes, other.shapes);
    }

    long largest() {
        return Math.max(length(0), length(1));
    }

    private long length(int sample) {
        return Arrays.stream(shapes[sample]).reduce(1, (a, b) -> a * b);
    }
}
