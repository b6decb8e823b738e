package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;

/**
 * The shape of an array as ND4J stores it in files: rank, sizes, strides, two numbers of its own, and the order, the letter c or f. ND4J
 * takes it as it is, and native code then reads wherever the strides lead.
 */
public final class StoredShape {
    private static final int MOST_DIMENSIONS = 32;

    private StoredShape() {}

    /**
     * Checks a shape.
     *
     * @param shape its numbers
     * @return how many numbers the array has; none of its strides leads beyond so many
     * @throws InvalidInputException if it is no shape; the message completes the sentence "FILE ..."
     */
    public static long elements(long[] shape) {
        int numbers = shape.length;
        long rank = numbers == 0 ? -1 : shape[0];
        if (rank < 0 || rank > MOST_DIMENSIONS || numbers != 2 * rank + 4) {
            throw broken("a shape of " + numbers + " numbers for " + rank + " dimensions");
        }
        long order = shape[numbers - 1];
        if (order != 'c' && order != 'f') {
            throw broken("an order that is neither c nor f");
        }
        long elements = 1;
        long last = 0;
        for (int axis = 1; axis <= rank; axis++) {
            long size = shape[axis];
            long stride = shape[(int) rank + axis];
            if (size < 0 || stride < 0 || size > Integer.MAX_VALUE || stride > Integer.MAX_VALUE) {
                throw broken("the size " + size + " with the stride " + stride);
            }
            try {
                elements = Math.multiplyExact(elements, size);
                last = Math.addExact(last, Math.max(0, size - 1) * stride);
            } catch (ArithmeticException e) {
                throw broken("more numbers than can be counted");
            }
        }
        if (elements > 0 && last >= elements) {
            throw broken("strides that lead beyond its " + elements + " numbers");
        }
        return elements;
    }

    static InvalidInputException broken(String what) {
        return new InvalidInputException("has an array with " + what);
    }
}
