package dev.samediff.adapters.engine.program;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A value of a program. Two tensors are the same only if they are one object.
 */
public final class Tensor {
    /** The most axes of a tensor. */
    public static final int MAX_RANK = 6;

    private final String name;
    private final DataType type;
    private final long[] shape;

    Tensor(String name, DataType type, long... shape) {
        this.name = name;
        this.type = type;
        this.shape = shape.clone();
    }

    /** Returns the graph's name for it, or what it is computed by. */
    public String name() {
        return name;
    }

    /** Returns the type of its elements. */
    public DataType type() {
        return type;
    }

    /** Returns the shape; not to be changed. */
    public long[] shape() {
        return shape;
    }

    /** Returns the number of axes. */
    public int rank() {
        return shape.length;
    }

    /** Returns the size of an axis; negative ones count from the end. */
    public long size(int axis) {
        return shape[axis < 0 ? axis + shape.length : axis];
    }

    /** Returns the number of elements. */
    public long length() {
        return Shapes.length(shape);
    }

    /** Tells whether this has exactly the given shape. */
    public boolean hasShape(long... other) {
        return Arrays.equals(shape, other);
    }

    /** Tells whether this is a floating point tensor the engine computes with itself. */
    public boolean isFloat() {
        return type == DataType.FLOAT;
    }

    @Override
    public String toString() {
        return name + " " + type + Arrays.toString(shape);
    }
}
