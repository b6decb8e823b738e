package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Shapes;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Where a tensor lies.
 *
 * @param block the memory
 * @param offset elements before the first one
 * @param shape the tensor's shape
 * @param strides its strides in elements
 * @param operand the same for kernels
 */
record Placement(Block block, long offset, long[] shape, long[] strides, Operand operand) {
    static Placement of(Block block, long offset, DataType type, long[] shape, long[] strides) {
        Operand operand = new Operand(type, shape, strides, offset == 0 ? block.leaf : null);
        block.attach(operand, offset);
        return new Placement(block, offset, shape, strides, operand);
    }

    static Placement dense(Block block, DataType type, long[] shape) {
        return of(block, 0, type, shape, Shapes.dense(shape));
    }

    /** Returns the same memory seen in another way. */
    Placement view(long moreOffset, long[] newShape, long[] newStrides) {
        return of(block, offset + moreOffset, operand.type(), newShape, newStrides);
    }

    /** Tells whether some elements are the same memory. */
    boolean isBroadcast() {
        return operand.isBroadcast();
    }

    boolean isDense() {
        return Strides.dense(shape, strides);
    }
}
