package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.InvalidInputException;
import org.nd4j.linalg.api.buffer.DataType;

/** A list of row numbers in memory, checked when they are read. */
final class Ids {
    private final Tensor tensor;
    private final long rows;
    private final String noun;

    /**
     * Checks the tensor.
     *
     * @param rows every id must be below
     * @param noun what an id is called in errors
     */
    Ids(String kernel, String noun, Tensor tensor, long count, long rows) {
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
        long address = tensor.place().address();
        long id = tensor.type() == DataType.LONG
                ? Memory.getLong(address + 8 * position)
                : Memory.getInt(address + 4 * position);
        if (id < 0 || id >= rows) {
            throw new InvalidInputException("the " + noun + " at position " + position + " is " + id
                    + ", expected 0 to " + (rows - 1) + ", the rows of the vocabulary");
        }
        return id;
    }
}
