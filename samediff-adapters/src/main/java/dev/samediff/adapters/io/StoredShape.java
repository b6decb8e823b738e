package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The shape of an array as ND4J stores it in files: rank, sizes, strides, the type, the stride of a vector of all elements, and the order, the
 * letter c or f. ND4J takes it as it is, and native code then reads wherever the strides lead. Whatever ND4J writes has no holes and no
 * number twice, so nothing else is read.
 */
public final class StoredShape {
    private static final int MOST_DIMENSIONS = 32;

    private StoredShape() {}

    /**
     * Checks a shape.
     *
     * @param shape its numbers
     * @return how many numbers the array has; its strides lead to each of so many once
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
        for (int axis = 1; axis <= rank; axis++) {
            long size = shape[axis];
            long stride = shape[(int) rank + axis];
            if (size < 0 || stride < 0 || size > Integer.MAX_VALUE || stride > Integer.MAX_VALUE) {
                throw broken("the size " + size + " with the stride " + stride);
            }
            try {
                elements = Math.multiplyExact(elements, size);
            } catch (ArithmeticException e) {
                throw broken("more numbers than can be counted");
            }
        }
        if (elements > 0) {
            requireDense(shape, (int) rank, elements);
        }
        return elements;
    }

    private static void requireDense(long[] shape, int rank, long elements) {
        List<Integer> axes = IntStream.range(0, rank)
                .filter(axis -> shape[1 + axis] > 1)
                .boxed()
                .sorted(Comparator.comparingLong((Integer axis) -> shape[1 + rank + axis]))
                .toList();
        long expected = 1;
        for (int axis : axes) {
            if (shape[1 + rank + axis] != expected) {
                throw broken("strides that do not lead to each of its " + elements + " numbers once");
            }
            expected *= shape[1 + axis];
        }
        long step = shape[shape.length - 2];
        boolean inOrder = IntStream.range(1, axes.size())
                .allMatch(i ->
                        shape[shape.length - 1] == 'f' ? axes.get(i - 1) < axes.get(i) : axes.get(i - 1) > axes.get(i));
        if (step < -1 || step > 1 || (step == 1 && !inOrder)) { // 0 and -1 mean that there is none
            throw broken("a step of " + step + " from number to number, which its strides are not");
        }
    }

    static InvalidInputException broken(String what) {
        return new InvalidInputException("has an array with " + what);
    }
}
