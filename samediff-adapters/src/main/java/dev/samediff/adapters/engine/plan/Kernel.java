package dev.samediff.adapters.engine.plan;

/**
 * One computation between operands at known places, ready to run any number of times.
 *
 * <p>A kernel reads the places of its operands in every run, so {@link Operand#place} moves them at no cost. Kernels of one
 * plan run one after the other.
 */
public interface Kernel {
    /**
     * Computes, or puts the computation into the target's queue.
     *
     * @throws IllegalStateException if an operand has no place yet
     */
    void run();

    /** Returns what is computed and by what, such as {@code "matmul f32 1024x768x2304 brg_matmul:avx512_core"}. */
    String describe();
}
