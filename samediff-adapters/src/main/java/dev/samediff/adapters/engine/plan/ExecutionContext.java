package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Node;
import java.util.List;
import java.util.function.LongSupplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What one plan has of a {@link Target}: its memory, its kernels, and what these work with.
 *
 * <p>Order of calls: {@link #allocate}, {@link #literal}, {@link #emit} and {@link #copy} while the plan is compiled; then for
 * each run {@link #leaf} for all leaves, the kernels, {@link #finish}, {@link #download} for the outputs. Not thread-safe.
 */
public interface ExecutionContext extends AutoCloseable {
    /** Returns what the places of tensors in the plan's memory are multiples of, in bytes; a power of 2. */
    default long alignment() {
        return 64;
    }

    /**
     * Allocates memory, not set to anything, which is given back by {@link #close}.
     *
     * @param bytes at least 1
     * @return the address of the first byte, a multiple of {@link #alignment} and not 0
     * @throws OutOfMemoryError if there is not so much
     */
    long allocate(long bytes);

    /**
     * Makes the kernel of a node.
     *
     * @param node a node that is not a view and not a concatenation
     * @param in its inputs, in layouts that {@link Target#reads} accepts; for a product that accumulates, without the last one
     * @param out its outputs; that of a product that accumulates holds the old sum, with any strides; that of {@code WriteRows}
     *     is its first input
     * @throws RuntimeException if there is no kernel for it
     */
    Kernel emit(Node node, List<Operand> in, List<Operand> out);

    /**
     * Makes a kernel that copies with any strides on both sides, and converts FLOAT and BFLOAT16 into each other, to nearest
     * even.
     *
     * @param x the operand; axes of stride 0 are repeated
     * @param dst the result, of the same shape, elsewhere
     */
    Kernel copy(Operand x, Operand dst);

    /**
     * Places a leaf for the next run.
     *
     * @param name the leaf
     * @param array its numbers in row-major order, which stay as they are until {@link #finish}; what {@code WriteRows} writes
     *     into the leaf is in them afterwards
     * @return the address of the first element
     */
    long leaf(String name, INDArray array);

    /**
     * Places numbers that never change.
     *
     * @param array in row-major order; the caller holds it for as long as this
     * @return the address of the first element
     */
    long literal(INDArray array);

    /** Waits until all kernels that have been run are done, and leaves the calling thread as it was found. */
    default void finish() {}

    /** Returns a copy of a result of the last run, in row-major order and in ND4J's memory. */
    INDArray download(Operand result);

    /**
     * As {@link #download(Operand)}, into memory that is there already.
     *
     * @param into of the result's type and shape, in row-major order and no view
     */
    default void download(Operand result, INDArray into) {
        into.assign(download(result));
    }

    /**
     * Returns where a result goes that is to be brought into an array by {@link #download(Operand, INDArray)}: memory of this context, or
     * the array's own where kernels can write there, which saves the copy.
     *
     * @param into row-major and no view; the caller holds it for as long as this
     */
    default long destination(INDArray into) {
        return allocate(into.length() * into.dataType().width());
    }

    /** Returns a reading of the clock between two kernels, in nanoseconds; it is asked for after {@link #finish}. */
    default LongSupplier time() {
        long now = System.nanoTime();
        return () -> now;
    }

    /** Returns the memory that kernels work with beside what was allocated, in bytes. */
    default long workspaceBytes() {
        return 0;
    }

    /** Gives all memory back; no kernel runs any more. */
    @Override
    void close();
}
