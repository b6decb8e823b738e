package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.memory.NativeBlock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** One allocation in which blocks that live at different times share memory. */
final class Arena implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private final NativeBlock memory;
    private final long bytes;

    private Arena(long bytes) {
        this.bytes = bytes;
        this.memory = new NativeBlock(bytes);
    }

    /** Places blocks: the largest first, each at the lowest position that is free during its whole life. */
    static Arena place(List<Block> blocks) {
        List<Block> bySize = new ArrayList<>(blocks);
        bySize.sort(Comparator.comparingLong((Block block) -> block.bytes)
                .reversed()
                .thenComparingInt(block -> block.first));
        List<Block> placed = new ArrayList<>();
        long size = 0;
        for (Block block : bySize) {
            block.position = lowestPosition(block, placed);
            size = Math.max(size, block.position + aligned(block.bytes));
            placed.add(block);
        }
        Arena arena = new Arena(size);
        long start = arena.memory.address();
        blocks.forEach(block -> block.place(start + block.position));
        return arena;
    }

    private static long lowestPosition(Block block, List<Block> placed) {
        List<Block> neighbours = new ArrayList<>();
        for (Block other : placed) {
            if (other.first <= block.last && block.first <= other.last) {
                neighbours.add(other);
            }
        }
        neighbours.sort(Comparator.comparingLong(other -> other.position));
        long position = 0;
        for (Block other : neighbours) {
            if (other.position >= position + aligned(block.bytes)) {
                break;
            }
            position = Math.max(position, other.position + aligned(other.bytes));
        }
        return position;
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Returns the size in bytes. */
    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        memory.close();
    }
}
