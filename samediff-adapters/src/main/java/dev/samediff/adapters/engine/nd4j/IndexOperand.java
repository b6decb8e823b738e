package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An input of an op whose numbers are places.
 *
 * @param input which input
 * @param sizes how many places there are
 * @param rule what numbers outside mean
 */
record IndexOperand(int input, Sizes sizes, Rule rule) {
    /** What numbers outside mean. */
    enum Rule {
        /** Those below zero count from the end, as in ONNX; others are refused. */
        FROM_END,
        /** Those below zero count from the end, which is the op's own work; others are refused. */
        COUNTED,
        /** They are refused. */
        REFUSED,
        /** They are no place at all, which is meant; but ND4J cuts them to 32 bits. */
        NOWHERE
    }

    /** How many places there are. */
    @FunctionalInterface
    interface Sizes {
        /**
         * Returns one size for all numbers; or several, for rows of coordinates along the last axis; null if the input holds no
         * places in this call.
         */
        long @Nullable [] of(List<INDArray> inputs, long[] arguments);
    }

    static IndexOperand of(int input, Sizes sizes) {
        return new IndexOperand(input, sizes, Rule.REFUSED);
    }

    static IndexOperand fromEnd(int input, Sizes sizes) {
        return new IndexOperand(input, sizes, Rule.FROM_END);
    }

    /**
     * Returns what to hand to the op: the numbers themselves, or a copy with all of them inside.
     *
     * @param inputs the op's inputs
     * @param arguments its integers
     * @param names says what holds the numbers
     * @throws InvalidInputException if a number is no place
     */
    INDArray checked(List<INDArray> inputs, long[] arguments, IndexNames names) {
        INDArray array = inputs.get(input);
        DataType type = array.dataType();
        if (array.isEmpty() || !(type.isIntType() || type.isFPType())) {
            return array;
        }
        long[] limits = sizes.of(inputs, arguments);
        if (limits == null || limits.length == 0) {
            return array;
        }
        Elements elements = Elements.of(array);
        INDArray counted = null;
        for (long i = 0; i < elements.length(); i++) {
            long size = limits[(int) (i % limits.length)];
            long value = elements.whole(i);
            if (value >= 0 && value < size) {
                continue;
            }
            if (rule != Rule.NOWHERE && (value >= size || value < least(size))) {
                throw new InvalidInputException("the index at position " + elements.position(i) + " of "
                        + names.source(input) + " is " + value + ", allowed is " + range(size) + " (" + names.op()
                        + ")");
            }
            if (rule == Rule.COUNTED) {
                continue;
            }
            if (rule == Rule.FROM_END || value != (int) value) {
                counted = counted == null ? array.dup('c') : counted;
                counted.data().put(i, rule == Rule.FROM_END ? value + size : -1L);
            }
        }
        return counted == null ? array : counted;
    }

    private String range(long size) {
        if (size <= 0) {
            return "nothing, there are no elements";
        }
        return least(size) + " to " + (size - 1);
    }

    private long least(long size) {
        return rule == Rule.FROM_END || rule == Rule.COUNTED ? -size : 0;
    }
}
