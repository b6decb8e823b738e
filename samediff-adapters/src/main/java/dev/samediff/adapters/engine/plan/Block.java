package dev.samediff.adapters.engine.plan;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A piece of memory that tensors lie in: a part of the arena, or an array of the graph or the program. */
final class Block {
    final DataType type;
    final long bytes;
    /** The array of a literal, or null. */
    final @Nullable INDArray literal;
    /** The variable whose array this is, or null. */
    final @Nullable String leaf;

    /** The first and the last kernel that touches it. */
    int first = Integer.MAX_VALUE;

    int last = -1;
    /** Reads to come. */
    int pending;
    /** Where in the arena. */
    long position = -1;

    private final List<Operand> operands = new ArrayList<>();
    private final List<Long> offsets = new ArrayList<>();
    private long address;

    private Block(DataType type, long elements, @Nullable INDArray literal, @Nullable String leaf) {
        this.type = type;
        this.bytes = elements * type.width();
        this.literal = literal;
        this.leaf = leaf;
    }

    static Block ofArena(DataType type, long elements) {
        return new Block(type, elements, null, null);
    }

    static Block ofLiteral(INDArray array) {
        return new Block(array.dataType(), array.length(), array, null);
    }

    static Block ofLeaf(String name, DataType type, long elements) {
        return new Block(type, elements, null, name);
    }

    boolean isInArena() {
        return literal == null && leaf == null;
    }

    void touch(int step) {
        first = Math.min(first, step);
        last = Math.max(last, step);
    }

    /** Lets an operand follow this block, so many elements behind its start. */
    void attach(Operand operand, long offset) {
        operands.add(operand);
        offsets.add(offset * type.width());
        if (address != 0) {
            operand.place(address + offset * type.width());
        }
    }

    /** Moves everything in this block. */
    void place(long newAddress) {
        if (newAddress == address) {
            return;
        }
        address = newAddress;
        for (int i = 0; i < operands.size(); i++) {
            operands.get(i).place(newAddress + offsets.get(i));
        }
    }
}
