package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.InvalidInputException;
import org.nd4j.linalg.api.buffer.DataType;

/** A list of row numbers in memory, checked when they are read. */
final class Ids {
    private final TensorView tensor;
    private final long rows;
    private final String noun;

    /**
     * Checks the tensor.
     *
     * @param rows every id must be below
     * @param noun what an id is called in errors
     */
    Ids(String kernel, String noun, TensorView tensor, long count, long rows) {
        Tensors.type(kernel, noun + "s", tensor, DataType.INT, DataType.LONG);
        Tensors.length(kernel, noun + "s", tensor, count);
        this.tensor = tensor;
        this.rows = rows;
        this.noun = noun;
    }

    Place place() {
        return tensor.place();
    }

    /** Returns the id at a position. */
    long at(long position) {
        long id = read(position);
        if (id < 0 || id >= rows) {
            throw refused(position, id, 0);
        }
        return id;
    }

    /** Returns the id at a position, where ids below zero count from the end. */
    long fromEnd(long position) {
        long id = read(position);
        if (id < -rows || id >= rows) {
            throw refused(position, id, -rows);
        }
        return id < 0 ? id + rows : id;
    }

    private long read(long position) {
        long address = tensor.place().address();
        return tensor.type() == DataType.LONG
                ? Memory.getLong(address + 8 * position)
                : Memory.getInt(address + 4 * position);
    }

    private InvalidInputException refused(long position, long id, long least) {
        return new InvalidInputException("the " + noun + " at position " + position + " is " + id + ", expected "
                + least + " to " + (rows - 1)
                + ", the rows of the table; a token id of another tokenizer is too large, or a"
                + " position that the graph counts runs over: give shorter texts then (--max-length)");
    }
}
