package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A tensor at a place in a target's memory that may move: element type, shape, strides, address. What an address means is
 * the target's business; plans only add bytes to it.
 */
public final class Operand {
    /** The largest rank of an operand. */
    public static final int MAX_RANK = Tensor.MAX_RANK;

    private final DataType type;
    private final long[] shape;
    private final long[] strides;
    private final @Nullable String leaf;
    private long address;

    /**
     * Describes a tensor; {@link #place} says where it is.
     *
     * @param type any type of fixed width; kernels copy all and compute with FLOAT, BFLOAT16, INT, LONG and BOOL
     * @param shape up to 6 axes, none of them empty; no axes for a scalar
     * @param strides the distance of neighbours along each axis in elements, 0 for a broadcast axis
     * @throws IllegalArgumentException if shape and strides do not fit each other
     */
    public Operand(DataType type, long[] shape, long[] strides) {
        this(type, shape, strides, null);
    }

    /**
     * Describes a tensor that starts where a leaf of the program starts.
     *
     * @param leaf the leaf's name, or null
     * @throws IllegalArgumentException if shape and strides do not fit each other
     */
    Operand(DataType type, long[] shape, long[] strides, @Nullable String leaf) {
        if (shape.length != strides.length || Arrays.stream(shape).anyMatch(n -> n < 1)) {
            throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " and strides "
                    + Arrays.toString(strides) + " must have the same number of axes, and no axis may be empty");
        }
        if (Arrays.stream(strides).anyMatch(s -> s < 0)) {
            throw new IllegalArgumentException("strides must not be negative, they are " + Arrays.toString(strides));
        }
        if (shape.length > MAX_RANK) {
            throw new IllegalArgumentException(
                    "an operand has at most " + MAX_RANK + " axes, its shape is " + Arrays.toString(shape));
        }
        this.type = type;
        this.shape = shape.clone();
        this.strides = strides.clone();
        this.leaf = leaf;
    }

    /** Returns a tensor in row-major order without holes. */
    public static Operand dense(DataType type, long... shape) {
        return new Operand(type, shape, Shapes.dense(shape));
    }

    /** Returns the element type. */
    public DataType type() {
        return type;
    }

    /** Returns the shape. */
    public long[] shape() {
        return shape.clone();
    }

    /** Returns the strides in elements. */
    public long[] strides() {
        return strides.clone();
    }

    /** Returns the number of elements, those of broadcast axes included. */
    public long length() {
        return Shapes.length(shape);
    }

    /** Returns the leaf of the program that starts where this starts, seen through any strides; empty if there is none. */
    public Optional<String> leaf() {
        return Optional.ofNullable(leaf);
    }

    /** Returns the address of the first element in bytes; 0 if it is not placed yet. */
    public long address() {
        return address;
    }

    /**
     * Puts the tensor at an address; all kernels made with it follow.
     *
     * @param newAddress the address of the first element in bytes
     */
    public void place(long newAddress) {
        address = newAddress;
    }

    /** Returns whether the elements lie in row-major order without holes. */
    public boolean isDense() {
        return Strides.dense(shape, strides);
    }

    /** Returns whether some elements are the same memory. */
    public boolean isBroadcast() {
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] != 1 && strides[i] == 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return type + Arrays.toString(shape) + (isDense() ? "" : " strides " + Arrays.toString(strides));
    }
}
