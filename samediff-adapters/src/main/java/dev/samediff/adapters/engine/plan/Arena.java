package dev.samediff.adapters.engine.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** One allocation in which blocks that live at different times share memory. */
final class Arena {
    private final long alignment;

    private Arena(long alignment) {
        this.alignment = alignment;
    }

    /**
     * Places blocks: the largest first, each at the lowest position that is free during its whole life.
     *
     * @return the size of the memory in bytes
     */
    static long place(List<Block> blocks, ExecutionContext context) {
        long bytes = new Arena(context.alignment()).arrange(blocks);
        if (bytes > 0) {
            long start = context.allocate(bytes);
            blocks.forEach(block -> block.place(start + block.position));
        }
        return bytes;
    }

    private long arrange(List<Block> blocks) {
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
        return size;
    }

    private long lowestPosition(Block block, List<Block> placed) {
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

    private long aligned(long bytes) {
        return (bytes + alignment - 1) / alignment * alignment;
    }
}
