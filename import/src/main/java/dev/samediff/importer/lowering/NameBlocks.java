package dev.samediff.importer.lowering;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Keeps the import of large graphs linear. SameDiff M2.1 looks for a free name of an operation from the first one on, {@code add},
 * {@code add_1} and so on, each time; so the operations of a graph of many thousand nodes are named in blocks, {@code part1/add},
 * each of which begins anew. Smaller graphs keep plain names.
 */
final class NameBlocks {
    private static final int LARGE = 2000;
    private static final int BLOCK = 100;

    private final SameDiff graph;
    private final boolean needed;
    private int nodes;
    private @Nullable NameScope open;

    /**
     * Begins without a block.
     *
     * @param nodes how many nodes the file has
     */
    NameBlocks(SameDiff graph, int nodes) {
        this.graph = graph;
        this.needed = nodes > LARGE;
    }

    /** Computes the operations of the next node in its block. */
    <T> T inside(Supplier<T> operations) {
        if (!needed) {
            return operations.get();
        }
        open = graph.withNameScope("part" + nodes++ / BLOCK);
        try {
            return operations.get();
        } finally {
            close();
        }
    }

    /** Computes something whose names are the file's, perhaps while a node's operations are. */
    <T> T outside(Supplier<T> named) {
        NameScope left = open;
        if (left == null) {
            return named.get();
        }
        close();
        try {
            return named.get();
        } finally {
            open = graph.withNameScope(left.getName());
        }
    }

    private void close() {
        if (open != null) {
            open.close();
            open = null;
        }
    }
}
