package dev.samediff.adapters.engine.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** A tensor at a place in memory that may move: element type, shape, strides, address. */
public final class Operand implements Place {
    /** The largest rank of an operand. */
    public static final int MAX_RANK = 6;

    private final DataType type;
    private final Layout layout;
    private PackedMatrices.@Nullable Matrix packed;
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
        this.type = type;
        this.layout = new Layout(shape, strides);
        if (shape.length > MAX_RANK) {
            throw new IllegalArgumentException(
                    "an operand has at most " + MAX_RANK + " axes, its shape is " + Arrays.toString(shape));
        }
    }

    /** Returns a tensor in row-major order without holes. */
    public static Operand dense(DataType type, long... shape) {
        return new Operand(type, shape, Layout.dense(shape).strides());
    }

    /** Returns the element type. */
    public DataType type() {
        return type;
    }

    /** Returns the shape. */
    public long[] shape() {
        return layout.shape().clone();
    }

    /** Returns the strides in elements. */
    public long[] strides() {
        return layout.strides().clone();
    }

    /** Returns the number of elements, those of broadcast axes included. */
    public long length() {
        return layout.length();
    }

    /** Returns the address of the first element in bytes; 0 if it is not placed yet. */
    @Override
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

    /**
     * Lets products keep copies of this matrix in the layout that is read fastest. What makes the copies must be told when
     * its numbers change.
     *
     * @param matrix keeps the copies
     */
    public void keepPacked(PackedMatrices.Matrix matrix) {
        packed = matrix;
    }

    /** Returns whether the elements lie in row-major order without holes. */
    public boolean isDense() {
        return layout.isDense();
    }

    Tensor tensor() {
        return new Tensor(type, layout, this, packed);
    }

    @Override
    public String toString() {
        return type
                + Arrays.toString(layout.shape())
                + (isDense() ? "" : " strides " + Arrays.toString(layout.strides()));
    }
}
