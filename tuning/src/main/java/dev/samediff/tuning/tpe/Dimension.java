package dev.samediff.tuning.tpe;

import dev.samediff.adapters.InvalidInputException;

/** One direction of the unit cube: what a coordinate from 0 to 1 stands for. */
public sealed interface Dimension {
    /** Numbers between two bounds; the coordinate is linear in the number, or in its logarithm. */
    record Continuous() implements Dimension {}

    /**
     * Whole numbers in a row: cells of equal width in their order.
     *
     * @param count how many
     */
    record Whole(long count) implements Dimension {
        public Whole {
            requirePositive(count);
        }
    }

    /**
     * Values without an order: cells of equal width.
     *
     * @param count how many
     */
    record Choice(int count) implements Dimension {
        public Choice {
            requirePositive(count);
        }
    }

    private static void requirePositive(long count) {
        if (count < 1) {
            throw new InvalidInputException("a direction of " + count + " values is not possible; give 1 or more");
        }
    }
}
